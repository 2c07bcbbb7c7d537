//! Icons: symbols of one sprite, `public/icons.svg`, drawn after Lucide.
//!
//! They decorate words and are hidden from screen readers; a button without words names itself with `aria-label`.

use crate::shell::Assets;
use leptos::prelude::*;

macro_rules! names {
    ($($name:ident = $id:literal),* $(,)?) => {
        /// A symbol of the sprite.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum Name { $($name),* }

        impl Name {
            /// All symbols that are used.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its id in the sprite.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }
        }
    };
}

names! {
    Overview = "overview",
    Service = "service",
    Build = "build",
    Image = "image",
    Registry = "registry",
    Credential = "credential",
    Job = "job",
    Settings = "settings",
    Menu = "menu",
    Close = "close",
    Plus = "plus",
    Check = "check",
    Trash = "trash",
    Pencil = "pencil",
    Play = "play",
    Stop = "stop",
    RollBack = "roll-back",
    Download = "download",
    SignOut = "sign-out",
    Copy = "copy",
    Refresh = "refresh",
    User = "user",
    Star = "star",
    Search = "search",
    Logs = "logs",
    Power = "power",
}

/// The address of a symbol.
pub fn href(name: Name) -> String {
    let sprite = use_context::<Assets>().map(|assets| assets.icons).filter(|icons| !icons.is_empty());
    format!("{}#{}", sprite.as_deref().unwrap_or("/icons.svg"), name.id())
}

/// An icon beside words.
#[component]
pub fn Icon(
    /// Which.
    name: Name,
) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true" focusable="false" width="16" height="16">
            <use href=href(name)></use>
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn every_icon_is_in_the_sprite_and_every_symbol_is_used() {
        let sprite = include_str!("../../../public/icons.svg");
        for name in Name::ALL {
            assert!(sprite.contains(&format!("<symbol id=\"{}\"", name.id())), "{name:?} is missing");
        }
        assert_eq!(sprite.matches("<symbol ").count(), Name::ALL.len());
    }
}
