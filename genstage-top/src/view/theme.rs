//! Colours. Blue and orange differ for every kind of colour blindness, and nothing is said by a colour alone.

use ratatui::style::{Color, Modifier, Style};

const BLUE: Color = Color::Indexed(39);
const ORANGE: Color = Color::Indexed(214);

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    colours: bool,
}

impl Theme {
    /// With colours.
    pub const COLOURS: Self = Self { colours: true };
    /// Without: for [`NO_COLOR`](https://no-color.org).
    pub const PLAIN: Self = Self { colours: false };

    /// With colours, unless the environment has a `NO_COLOR` that is not empty.
    #[must_use]
    pub fn of_environment() -> Self {
        Self { colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) }
    }

    fn colour(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }

    pub(super) fn bar(self) -> Style {
        self.colour(BLUE)
    }

    /// What is to be seen first.
    pub(super) fn alarm(self) -> Style {
        self.colour(ORANGE).add_modifier(Modifier::BOLD)
    }

    pub(super) fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}
