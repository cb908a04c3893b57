use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::DeriveInput;

use super::model::{BufferSize, Keep, Role, Stage};

/// The glue between the struct and the runtime. All of it stands at the role's word: what does not fit is reported there.
pub(super) fn expand(stage: &Stage, input: &DeriveInput) -> TokenStream {
    let span = stage.span;
    let private = quote_spanned!(span=> ::genstage::__private);
    let name = &input.ident;
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
    let window = window(stage, &private);
    quote_spanned! {span=>
        #[automatically_derived]
        impl #params ::genstage::Stage for #name #arguments #conditions {
            type Role = #private::#marker;
            type Take = #take;
            type Give = #give;
            const OPTIONS: #private::StageOptions = #options;
        }
        #emits
        #window
    }
}

fn role(stage: &Stage) -> (TokenStream, TokenStream) {
    let span = stage.span;
    match stage.role {
        Role::Producer => (quote_spanned!(span=> ProducerRole), quote_spanned!(span=> ::genstage::Producer)),
        Role::ProducerConsumer => {
            (quote_spanned!(span=> ProducerConsumerRole), quote_spanned!(span=> ::genstage::ProducerConsumer))
        }
        Role::Consumer => (quote_spanned!(span=> ConsumerRole), quote_spanned!(span=> ::genstage::Consumer)),
    }
}

fn event(role_trait: &TokenStream, name: &str, stage: &Stage) -> TokenStream {
    let name = syn::Ident::new(name, stage.span);
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
            options.extend(quote_spanned!(span=> .buffer_size(#private::capacity(#events))));
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

/// Constants that are not literals are checked by the compiler, once they have a value.
fn window(stage: &Stage, private: &TokenStream) -> Option<TokenStream> {
    let checked = stage.max_demand.as_ref().or(stage.min_demand.as_ref())?;
    let option = |value: &Option<syn::Expr>| match value {
        Some(value) => quote_spanned!(stage.span=> ::core::option::Option::Some(#value)),
        None => quote_spanned!(stage.span=> ::core::option::Option::None),
    };
    let (max, min) = (option(&stage.max_demand), option(&stage.min_demand));
    let span = checked.to_token_stream().into_iter().next().map_or(stage.span, |token| token.span());
    Some(quote_spanned!(span=> const _: () = #private::check_window(#max, #min);))
}
