//! Demand windows, as far as they stand in literals.

use syn::Expr;

use crate::value::literal;

/// What the runtime takes for `max_demand` where nothing is stated.
pub(crate) const DEFAULT_MAX: u128 = 1000;

/// The value that makes no sense, and why. `default_max` holds where no `max` is stated, if it is known.
pub(crate) fn check<'a>(
    max: Option<&'a Expr>,
    min: Option<&'a Expr>,
    default_max: Option<u128>,
) -> Result<(), (&'a Expr, String)> {
    let stated_max = max.and_then(literal);
    if let (Some(culprit), Some(0)) = (max, stated_max) {
        return Err((culprit, "expected max_demand >= 1, got 0".to_owned()));
    }
    let upper = if max.is_some() { stated_max } else { default_max };
    match (min, min.and_then(literal), upper) {
        (Some(culprit), Some(min), Some(max)) if min >= max => {
            let whose = if stated_max.is_some() { "" } else { ", its default" };
            Err((culprit, format!("expected min_demand below max_demand ({max}{whose}), got {min}")))
        }
        _ => Ok(()),
    }
}
