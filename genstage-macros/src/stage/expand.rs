use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Expr, Ident};

use super::model::{BufferSize, Children, Dispatcher, Keep, Keyed, Mode, Partitions, Role, Shutdown, Stage};
use crate::value::no_more_arms;

/// The glue between the struct and the runtime. All of it stands at the role's word: what does not fit is reported there.
pub(super) fn expand(stage: &Stage, input: &DeriveInput) -> TokenStream {
    let span = stage.span;
    let private = quote_spanned!(span=> ::genstage::__private);
    let mut name = input.ident.clone();
    name.set_span(span);
    let (marker, role_trait) = role(stage);
    let generics = where_implemented(stage, input, &role_trait);
    let (params, arguments, conditions) = generics.split_for_impl();
    let (take, give) = match stage.role {
        Role::Producer => (quote_spanned!(span=> #private::Nothing), event(&role_trait, "Event", stage)),
        Role::Consumer | Role::ConsumerSupervisor => {
            (event(&role_trait, "Event", stage), quote_spanned!(span=> #private::Nothing))
        }
        Role::ProducerConsumer => (event(&role_trait, "Input", stage), event(&role_trait, "Output", stage)),
    };
    let emits = stage.role.emits().then(|| {
        quote_spanned! {span=>
            #[automatically_derived]
            #[diagnostic::do_not_recommend]
            impl #params ::genstage::Emits for #name #arguments #conditions {
                type Emitted = #give;
            }
        }
    });
    // A generic struct is a stage, or is none, only where it is used.
    let checked = input.generics.params.is_empty().then(|| {
        quote_spanned! {span=>
            #[automatically_derived]
            impl #private::Checked for #name {}
        }
    });
    let (options, evaluate) = options(stage, input, &private);
    let keep = stage.children.transient.map(|transient| {
        quote_spanned! {transient=>
            fn keep(event: &Self::Take) -> ::core::option::Option<Self::Take> {
                ::core::option::Option::Some(#private::keep(event))
            }
        }
    });
    let dispatches = dispatches(stage, input, &role_trait, &name);
    let (dispatcher, make_dispatcher) = dispatcher(stage, &give, &private);
    let (options_self, dispatcher_self) = (receiver(&options, span), receiver(&make_dispatcher, span));
    quote_spanned! {span=>
        #[automatically_derived]
        impl #params ::genstage::Stage for #name #arguments #conditions {
            type Role = #private::#marker;
            type Take = #take;
            type Give = #give;
            type Dispatcher = #dispatcher;

            fn options(&#options_self) -> #private::StageOptions {
                #options
            }

            #keep

            fn dispatcher(&#dispatcher_self) -> Self::Dispatcher {
                #make_dispatcher
            }
        }
        #emits
        #checked
        #evaluate
        #dispatches
    }
}

fn role(stage: &Stage) -> (TokenStream, TokenStream) {
    let span = stage.span;
    match stage.role {
        Role::Producer => (
            quote_spanned!(span=> ProducerRole),
            quote_spanned!(span=> ::genstage::__private::DeclaredProducer),
        ),
        Role::ProducerConsumer => (
            quote_spanned!(span=> ProducerConsumerRole),
            quote_spanned!(span=> ::genstage::__private::DeclaredProducerConsumer),
        ),
        Role::Consumer => (
            quote_spanned!(span=> ConsumerRole),
            quote_spanned!(span=> ::genstage::__private::DeclaredConsumer),
        ),
        Role::ConsumerSupervisor => (
            quote_spanned!(span=> ConsumerSupervisorRole),
            quote_spanned!(span=> ::genstage::__private::DeclaredConsumerSupervisor),
        ),
    }
}

fn event(role_trait: &TokenStream, name: &str, stage: &Stage) -> TokenStream {
    let name = Ident::new(name, stage.span);
    quote_spanned!(stage.span=> <Self as #role_trait>::#name)
}

/// The struct's generics; where there are any, the struct is a stage only where the user implemented the role's trait,
/// so that bounds have to stand there only.
fn where_implemented(stage: &Stage, input: &DeriveInput, role_trait: &TokenStream) -> syn::Generics {
    let mut generics = input.generics.clone();
    if !generics.params.is_empty() {
        let conditions = &mut generics.make_where_clause().predicates;
        conditions.push(syn::parse_quote!(Self: #role_trait));
        if stage.children.transient.is_some() {
            conditions.push(syn::parse_quote!(<Self as #role_trait>::Event: ::core::clone::Clone));
        }
    }
    generics
}

/// The options as an expression, and what has them checked where they stand.
///
/// Constants are checked by the compiler: those of a generic struct once it runs somewhere, because they have no value
/// before, all others at once. What depends on `self` is checked when the stage starts.
fn options(stage: &Stage, input: &DeriveInput, private: &TokenStream) -> (TokenStream, Option<TokenStream>) {
    let (span, chain, checks) = (stage.span, chain(stage, private), checks(stage));
    let stated = quote!(#chain #checks);
    if find(&stated, "self").is_some() {
        return (chain, None);
    }
    if !input.generics.params.is_empty() || find(&stated, "Self").is_some() {
        return (quote_spanned!(span=> const { #checks #chain }), None);
    }
    let evaluate = (!checks.is_empty()).then(|| quote_spanned!(span=> const _: () = { #checks };));
    (chain, evaluate)
}

/// The receiver of a method with that body: the user's own `self` if it has one, which another would not be if the struct
/// comes out of a macro.
fn receiver(body: &TokenStream, span: Span) -> Ident {
    find(body, "self").unwrap_or_else(|| Ident::new("self", span))
}

/// A word among the tokens.
fn find(tokens: &TokenStream, word: &str) -> Option<Ident> {
    tokens.clone().into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) => (ident == word).then_some(ident),
        TokenTree::Group(group) => find(&group.stream(), word),
        TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    })
}

fn chain(stage: &Stage, private: &TokenStream) -> TokenStream {
    let span = stage.span;
    let mut options = quote_spanned!(span=> #private::StageOptions::new());
    match &stage.buffer_size {
        Some(BufferSize::Unbounded) => {
            options.extend(quote_spanned!(span=> .buffer_size(#private::Capacity::Unbounded)));
        }
        Some(BufferSize::Events(events)) => {
            options.extend(quote_spanned!(span=> .buffer_size(#private::Capacity::Events(#events))));
        }
        None => {}
    }
    if let Some(keep) = &stage.buffer_keep {
        let keep = match keep {
            Keep::First => quote_spanned!(span=> #private::Keep::First),
            Keep::Last => quote_spanned!(span=> #private::Keep::Last),
            Keep::Value(value) => quote_spanned!(span=> #value),
        };
        options.extend(quote_spanned!(span=> .buffer_keep(#keep)));
    }
    if let Some(max) = &stage.max_demand {
        options.extend(quote_spanned!(span=> .max_demand(#max)));
    }
    if let Some(min) = &stage.min_demand {
        options.extend(quote_spanned!(span=> .min_demand(#min)));
    }
    let Children { shutdown, max_restarts, within, .. } = &stage.children;
    if let Some(shutdown) = shutdown {
        let shutdown = match shutdown {
            Shutdown::Abort => quote_spanned!(span=> #private::Shutdown::Abort),
            Shutdown::Unbounded => quote_spanned!(span=> #private::Shutdown::Unbounded),
            Shutdown::After(time) => quote_spanned!(span=> #private::Shutdown::After(#time)),
        };
        options.extend(quote_spanned!(span=> .shutdown(#shutdown)));
    }
    options.extend(max_restarts.iter().map(|restarts| quote_spanned!(span=> .max_restarts(#restarts))));
    options.extend(within.iter().map(|within| quote_spanned!(span=> .within(#within))));
    if let Some(blocking) = &stage.blocking {
        let method = Ident::new("blocking", blocking.span());
        options.extend(quote_spanned!(span=> .#method()));
    }
    if let Some(mode) = &stage.demand {
        let mode = match mode {
            Mode::Forward => quote_spanned!(span=> #private::DemandMode::Forward),
            Mode::Accumulate => quote_spanned!(span=> #private::DemandMode::Accumulate),
            Mode::Value(value) => quote_spanned!(span=> #value),
        };
        options.extend(quote_spanned!(span=> .demand(#mode)));
    }
    options
}

/// The dispatcher's type and the expression that makes it.
fn dispatcher(stage: &Stage, give: &TokenStream, private: &TokenStream) -> (TokenStream, TokenStream) {
    let span = stage.span;
    let default = quote_spanned!(span=> ::core::default::Default::default());
    match &stage.dispatcher {
        None => (quote_spanned!(span=> #private::DemandDispatcher), default),
        Some(Dispatcher::Demand { max_demand, shuffle }) => {
            let mut made = quote_spanned!(span=> #private::DemandDispatcher::new());
            made.extend(max_demand.iter().map(|max| quote_spanned!(span=> .max_demand(#max))));
            made.extend(shuffle.iter().map(|seed| quote_spanned!(span=> .shuffle(#seed))));
            (quote_spanned!(span=> #private::DemandDispatcher), made)
        }
        Some(Dispatcher::Broadcast) => (quote_spanned!(span=> #private::BroadcastDispatcher<#give>), default),
        Some(Dispatcher::Partition { partitions, queue_size }) => {
            let (arguments, call) = partition(partitions, give, span);
            let mut made =
                quote_spanned!(call.span()=> ::genstage::__private::PartitionDispatcher::<#arguments>::#call);
            made.extend(queue_size.iter().map(|size| quote_spanned!(span=> .queue_size(#size))));
            (quote_spanned!(span=> #private::PartitionDispatcher<#arguments>), made)
        }
        Some(Dispatcher::Own { ty, made }) => (quote_spanned!(span=> #ty), made.clone().unwrap_or(default)),
    }
}

/// The type arguments of a partition dispatcher, and the call that makes it.
fn partition(partitions: &Partitions, give: &TokenStream, span: Span) -> (TokenStream, TokenStream) {
    let call = match partitions {
        Partitions::Hash { count } => quote_spanned!(span=> by_hash(#count)),
        Partitions::HashOfKey { count, key } => quote_spanned!(span=> by_key(#count, #key)),
        Partitions::Index { count, index } => quote_spanned!(span=> new(#count, #index)),
        Partitions::Enum(Keyed { ty, values, span: listed, key }) => {
            let (count, numbers) = (values.len(), 0..values.len());
            // Exhaustive: the compiler names a value of the enum that is not listed, where the others are.
            let no_more = no_more_arms();
            let number =
                quote_spanned!(*listed=> |key: &#ty| match key { #(#values => #numbers,)* #no_more => 0 });
            return (quote!(#give, #ty), quote_spanned!(key.span()=> keyed(#count, #key, #number)));
        }
    };
    (give.clone(), call)
}

/// Has the compiler check that the dispatcher can dispatch the events; those of a generic struct have no type before it runs
/// somewhere.
fn dispatches(
    stage: &Stage,
    input: &DeriveInput,
    role_trait: &TokenStream,
    name: &Ident,
) -> Option<TokenStream> {
    let event = Ident::new(if stage.role == Role::Producer { "Event" } else { "Output" }, stage.span);
    let events = quote_spanned!(stage.span=> <#name as #role_trait>::#event);
    let check = match &stage.dispatcher {
        Some(Dispatcher::Broadcast) => quote_spanned!(stage.span=> check_broadcast::<#events>()),
        Some(Dispatcher::Own { ty, .. }) => quote_spanned!(ty.span()=> check_dispatcher::<#ty, #events>()),
        Some(Dispatcher::Demand { .. } | Dispatcher::Partition { .. }) | None => return None,
    };
    let check = quote_spanned!(stage.span=> const _: () = ::genstage::__private::#check;);
    input.generics.params.is_empty().then_some(check)
}

/// Calls that fail, in a constant, if the options make no sense.
fn checks(stage: &Stage) -> TokenStream {
    let Stage { buffer_size, max_demand, min_demand, .. } = stage;
    let capacity = match buffer_size {
        Some(BufferSize::Events(events)) => Some(check("check_capacity", events.span(), quote!(#events))),
        Some(BufferSize::Unbounded) | None => None,
    };
    let option = |value: &Option<Expr>| match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    };
    let (max, min) = (option(max_demand), option(min_demand));
    let stated = min_demand.as_ref().or(max_demand.as_ref());
    let window = stated.map(|stated| check("check_window", stated.span(), quote!(#max, #min)));
    quote!(#capacity #window)
}

fn check(function: &str, span: Span, arguments: TokenStream) -> TokenStream {
    let function = Ident::new(function, span);
    quote_spanned!(span=> ::genstage::__private::#function(#arguments);)
}
