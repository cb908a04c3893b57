use proc_macro2::{Span, TokenStream, TokenTree};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprPath, Ident, Path, Token, braced, bracketed, parenthesized, token};

use crate::report::Report;

/// What was written, item by item.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) nodes: Vec<NodeItem>,
    pub(super) chains: Vec<Chain>,
    /// `crate = path;`
    pub(super) root: Option<Path>,
    /// `strategy: one_for_all, …;`: of the whole pipeline.
    pub(super) options: Vec<OptionItem>,
    /// Every name that stands in an item that could not be parsed: nothing is known about its edges.
    pub(super) unclear: Vec<Ident>,
}

/// `name = expression, option: value, …;`
pub(super) struct NodeItem {
    pub(super) attributes: Vec<Attribute>,
    pub(super) name: Ident,
    pub(super) expr: Expr,
    pub(super) options: Vec<OptionItem>,
}

/// `a => b => c;`
pub(super) struct Chain {
    pub(super) groups: Vec<Group>,
}

/// What stands on one side of an arrow: a target, or several in braces.
pub(super) struct Group {
    pub(super) targets: Vec<Target>,
}

/// One end of an edge: a stage, or several that are fused, `a |> b`.
pub(super) struct Target {
    pub(super) parts: Vec<Part>,
}

/// A stage in an edge, with the options of the subscriptions that its place makes.
pub(super) struct Part {
    pub(super) stage: TargetStage,
    pub(super) options: Vec<OptionItem>,
}

pub(super) enum TargetStage {
    Name(Ident),
    /// `map(|n| n + 1)`: a stage without a name.
    Call {
        function: ExprPath,
        arguments: TokenStream,
    },
}

/// `name: value`, or a word alone.
pub(super) struct OptionItem {
    pub(super) name: Ident,
    pub(super) value: Option<Expr>,
}

enum Item {
    Node(NodeItem),
    Chain(Chain),
    Options(Vec<OptionItem>),
    Root(Path),
    /// `name =`, and nothing behind it yet.
    Begun(Ident),
}

/// Parses item by item: one that is wrong is reported and left out, up to its semicolon.
pub(super) fn parse(input: TokenStream, report: &mut Report) -> Declared {
    let end = input.clone().into_iter().last().map_or_else(Span::call_site, |last| last.span());
    let parser = |input: ParseStream<'_>| {
        let mut declared = Declared::default();
        while !input.is_empty() {
            let ahead = input.fork();
            match ahead.parse::<Item>().and_then(|item| item.end(&ahead, end)) {
                Ok(Item::Begun(name)) => {
                    input.advance_to(&ahead);
                    report.at(&name, format!("expected a stage behind `{name} =`"));
                    declared.unclear.push(name);
                }
                Ok(item) => {
                    input.advance_to(&ahead);
                    match item {
                        Item::Node(node) => declared.nodes.push(node),
                        Item::Chain(chain) => declared.chains.push(chain),
                        Item::Root(path) if declared.root.is_some() => {
                            report.at(path, "`crate` is stated twice");
                        }
                        Item::Root(path) => declared.root = Some(path),
                        Item::Options(options) => declared.options.extend(options),
                        Item::Begun(_) => {}
                    }
                }
                Err(error) => {
                    report.add(error);
                    declared.unclear.extend(skip_item(input)?);
                }
            }
        }
        Ok(declared)
    };
    let parsed = parser.parse2(input);
    report.ok(parsed).unwrap_or_default()
}

impl Item {
    /// The item, if a semicolon stands behind it; one that is only begun goes without.
    fn end(self, input: ParseStream<'_>, end: Span) -> syn::Result<Self> {
        match self {
            Self::Begun(_) => Ok(self),
            item => semicolon(input, end).map(|()| item),
        }
    }
}

/// The end of an item; where nothing follows, its absence is reported at the last token and not at the whole macro call.
fn semicolon(input: ParseStream<'_>, end: Span) -> syn::Result<()> {
    match input.parse::<Option<Token![;]>>()? {
        Some(_) => Ok(()),
        None if input.is_empty() => Err(syn::Error::new(end, "expected `;` behind this")),
        None => Err(input.error("expected `;`")),
    }
}

/// Skips everything up to and with the next semicolon; the names that stand there.
fn skip_item(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let mut names = vec![];
    while !input.is_empty() {
        if input.parse::<Option<Token![;]>>()?.is_some() {
            break;
        }
        collect_names(input.parse::<TokenTree>()?, &mut names);
    }
    Ok(names)
}

fn collect_names(tree: TokenTree, names: &mut Vec<Ident>) {
    match tree {
        TokenTree::Ident(name) => names.push(name),
        TokenTree::Group(group) => group.stream().into_iter().for_each(|tree| collect_names(tree, names)),
        TokenTree::Punct(_) | TokenTree::Literal(_) => {}
    }
}

/// Options up to the semicolon.
fn options(input: ParseStream<'_>) -> syn::Result<Vec<OptionItem>> {
    let mut options = vec![];
    while !input.peek(Token![;]) {
        options.push(input.parse()?);
        if input.parse::<Option<Token![,]>>()?.is_none() {
            break;
        }
    }
    Ok(options)
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![let]) {
            return Err(input.error("a node needs no `let`: write `name = expression;`"));
        }
        if input.peek(Token![crate]) && input.peek2(Token![=]) && !input.peek2(Token![=>]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            return input.call(Path::parse_mod_style).map(Self::Root);
        }
        if input.peek(Ident) && input.peek2(Token![:]) && !input.peek2(Token![::]) {
            return options(input).map(Self::Options);
        }
        if input.peek(Token![#]) {
            let ahead = input.fork();
            ahead.call(Attribute::parse_outer)?;
            let is_node = ahead.peek(Ident) && ahead.peek2(Token![=]) && !ahead.peek2(Token![=>]);
            let message = "attributes go on nodes: an edge has those of its nodes";
            return if is_node { input.parse().map(Self::Node) } else { Err(input.error(message)) };
        }
        let is_node = input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![=>]);
        if is_node && (input.peek3(Token![;]) || begins_another(input)) {
            let name = input.parse()?;
            input.parse::<Token![=]>()?;
            input.parse::<Option<Token![;]>>()?;
            return Ok(Self::Begun(name));
        }
        Ok(if is_node { Self::Node(input.parse()?) } else { Self::Chain(input.parse()?) })
    }
}

/// Whether the next node begins where this one's expression should: `a = b = B;`
fn begins_another(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let next =
        ahead.parse::<Ident>().and_then(|_| ahead.parse::<Token![=]>()).and_then(|_| ahead.parse::<Ident>());
    next.is_ok() && ahead.peek(Token![=]) && !ahead.peek(Token![==]) && !ahead.peek(Token![=>])
}

impl Parse for NodeItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        let expr = input.parse()?;
        let options = match input.parse::<Option<Token![,]>>()? {
            Some(_) => options(input)?,
            None => vec![],
        };
        Ok(Self { attributes, name, expr, options })
    }
}

impl Parse for Chain {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut groups = vec![input.parse()?];
        while input.parse::<Option<Token![=>]>>()?.is_some() {
            groups.push(input.parse()?);
        }
        if peek_fused(input) {
            return Err(input.error(NOT_FUSED));
        }
        if input.peek(token::Brace) || input.peek(Token![.]) {
            return Err(
                input.error("a stage in an edge is a name or a call: declare this one, as in `name = …;`")
            );
        }
        let is_fused = |group: &Group| group.targets.iter().any(|target| target.parts.len() > 1);
        if groups.len() == 1 && !groups.iter().any(is_fused) {
            return Err(input.error(
                "expected `=>`: events flow from the producer on its left to the consumer on its right",
            ));
        }
        Ok(Self { groups })
    }
}

impl Parse for Group {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(token::Brace) {
            return Ok(Self { targets: vec![input.parse()?] });
        }
        let content;
        let brace = braced!(content in input);
        let targets: Vec<_> =
            Punctuated::<Target, Token![,]>::parse_terminated(&content)?.into_iter().collect();
        match targets.is_empty() {
            true => Err(syn::Error::new(brace.span.join(), "expected at least one stage")),
            false => Ok(Self { targets }),
        }
    }
}

/// Whether `|>` is next.
fn peek_fused(input: ParseStream<'_>) -> bool {
    input.peek(Token![|]) && input.peek2(Token![>])
}

const NOT_FUSED: &str = "a group in braces cannot be fused: `|>` makes one stage of two, so fuse those within, as in `{ a |> b, c }`";

impl Parse for Target {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut parts = vec![input.parse()?];
        while peek_fused(input) {
            input.parse::<Token![|]>()?;
            input.parse::<Token![>]>()?;
            if input.peek(token::Brace) {
                return Err(input.error(NOT_FUSED));
            }
            parts.push(input.parse()?);
        }
        Ok(Self { parts })
    }
}

impl Parse for Part {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Ident)
            && !input.peek(Token![::])
            && !input.peek(Token![crate])
            && !input.peek(Token![self])
        {
            return Err(
                input.error("expected a stage: its name, a call that makes one, or several in braces")
            );
        }
        let path: ExprPath = input.parse()?;
        let stage = match path.path.get_ident() {
            _ if input.peek(token::Paren) => {
                let arguments;
                parenthesized!(arguments in input);
                TargetStage::Call { function: path, arguments: arguments.parse()? }
            }
            Some(name) => TargetStage::Name(name.clone()),
            None => return Err(input.error("expected `(…)`: a path in an edge is a call that makes a stage")),
        };
        let mut options = vec![];
        if input.peek(token::Bracket) {
            let content;
            bracketed!(content in input);
            options.extend(Punctuated::<OptionItem, Token![,]>::parse_terminated(&content)?);
        }
        Ok(Self { stage, options })
    }
}

impl Parse for OptionItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse()?;
        let is_alone = input.is_empty() || input.peek(Token![,]) || input.peek(Token![;]);
        if !is_alone && !input.peek(Token![:]) {
            return Err(syn::Error::new(name.span(), format!("expected `{name}: value`")));
        }
        let value = match input.parse::<Option<Token![:]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { name, value })
    }
}
