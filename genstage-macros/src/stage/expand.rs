use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Expr, Ident};

use super::model::{BufferSize, Keep, Role, Stage};

/// The glue between the struct and the runtime. All of it stands at the role's word: what does not fit is reported there.
pub(super) fn expand(stage: &Stage, input: &DeriveInput) -> TokenStream {
    let span = stage.span;
    let private = quote_spanned!(span=> ::genstage::__private);
    let mut name = input.ident.clone();
    name.set_span(span);
    let (marker, role_trait) = role(stage);
    let generics = where_implemented(input, &role_trait);
    let (params, arguments, conditions) = generics.split_for_impl();
    let (take, give) = match stage.role {
        Role::Producer => (quote_spanned!(span=> #private::Nothing), event(&role_trait, "Event", stage)),
        Role::Consumer => (event(&role_trait, "Event", stage), quote_spanned!(span=> #private::Nothing)),
        Role::ProducerConsumer => (event(&role_trait, "Input", stage), event(&role_trait, "Output", stage)),
    };
    let emits = (stage.role != Role::Consumer).then(|| {
        quote_spanned! {span=>
            #[automatically_derived]
            #[diagnostic::do_not_recommend]
            impl #params ::genstage::Emits for #name #arguments #conditions {
                type Emitted = #give;
            }
        }
    });
    let options = options(stage, &private);
    let checks = checks(stage);
    let evaluate = evaluate(stage, input, &name);
    quote_spanned! {span=>
        #[automatically_derived]
        impl #params ::genstage::Stage for #name #arguments #conditions {
            type Role = #private::#marker;
            type Take = #take;
            type Give = #give;
            type Node = #private::Node<Self>;
            type Dispatcher = #private::DemandDispatcher;
            const OPTIONS: #private::StageOptions = { #checks #options };

            fn dispatcher() -> Self::Dispatcher {
                ::core::default::Default::default()
            }
        }
        #emits
        #evaluate
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
    }
}

fn event(role_trait: &TokenStream, name: &str, stage: &Stage) -> TokenStream {
    let name = Ident::new(name, stage.span);
    quote_spanned!(stage.span=> <Self as #role_trait>::#name)
}

/// The struct's generics; where there are any, the struct is a stage only where the user implemented the role's trait,
/// so that bounds have to stand there only.
fn where_implemented(input: &DeriveInput, role_trait: &TokenStream) -> syn::Generics {
    let mut generics = input.generics.clone();
    if !generics.params.is_empty() {
        generics.make_where_clause().predicates.push(syn::parse_quote!(Self: #role_trait));
    }
    generics
}

fn options(stage: &Stage, private: &TokenStream) -> TokenStream {
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
    if let Some(keep) = stage.buffer_keep {
        let keep = match keep {
            Keep::First => quote_spanned!(span=> First),
            Keep::Last => quote_spanned!(span=> Last),
        };
        options.extend(quote_spanned!(span=> .buffer_keep(#private::Keep::#keep)));
    }
    if let Some(max) = &stage.max_demand {
        options.extend(quote_spanned!(span=> .max_demand(#max)));
    }
    if let Some(min) = &stage.min_demand {
        options.extend(quote_spanned!(span=> .min_demand(#min)));
    }
    options
}

/// Constants that are not literals are checked by the compiler, as part of the options: they may be generic.
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

/// Has the options evaluated where they stand, and not only once the stage runs somewhere. Those of a generic struct have
/// no value before that.
fn evaluate(stage: &Stage, input: &DeriveInput, name: &Ident) -> Option<TokenStream> {
    let Stage { span, buffer_size, max_demand, min_demand, .. } = stage;
    let stated = buffer_size.is_some() || max_demand.is_some() || min_demand.is_some();
    (stated && input.generics.params.is_empty()).then(|| {
        quote_spanned! {*span=>
            const _: ::genstage::__private::StageOptions = <#name as ::genstage::Stage>::OPTIONS;
        }
    })
}
