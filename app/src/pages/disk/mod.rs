//! How much room there is, as a card for pages that care.

use crate::model::disk::{Level, Place, Room, Space};
use crate::model::text;
use crate::paths;
use crate::ui::{Badge, Card, Tone};
use leptos::prelude::*;

/// The card's anchor.
pub const ID: &str = "room";

/// The card; none before the first look.
pub fn card(spaces: Vec<Space>) -> Option<impl IntoView + use<>> {
    let rows = spaces.into_iter().map(row).collect_view();
    (!rows.is_empty()).then(|| {
        view! { <Card title="Room on disks" id=ID><ul class="rooms">{rows}</ul></Card> }
    })
}

fn row(space: Space) -> impl IntoView {
    let name = space.name();
    let room = match space.room {
        Some(room) => measured(&space, room, &name).into_any(),
        None => view! { <span class="hint">{unseen(&space.places)}</span> }.into_any(),
    };
    let links = space.places.iter().filter_map(|place| match place {
        Place::Registry { id, name } => Some((paths::registry(id), name.clone())),
        Place::Data | Place::Docker => None,
    });
    let links = links.map(|(href, name)| view! { <a href=href>"Open registry "{name}</a> }).collect_view();
    view! { <li><strong>{name}</strong>{room}{links}</li> }
}

fn measured(space: &Space, room: Room, name: &str) -> impl IntoView + use<> {
    let used = room.total.saturating_sub(room.free);
    let words = room.words();
    let state = match space.level {
        Level::Fine => None,
        Level::Tight => Some(view! { <Badge tone=Tone::Warn text="Nearly full"/> }),
        Level::Short => Some(view! { <Badge tone=Tone::Bad text="No new builds"/> }),
    };
    let hint = (space.level != Level::Fine && space.needed > 0)
        .then(|| view! { <span class="hint">"Builds need "{text::bytes(space.needed)}" free here."</span> });
    view! {
        <span class="room">
            <meter min="0" max=room.total high=room.total / 10 * 9 value=used aria-label=format!("Used: {name}")>{words.clone()}</meter>
            {words}{state}
        </span>
        {hint}
    }
}

/// Why there are no figures.
fn unseen(places: &[Place]) -> &'static str {
    match places {
        [Place::Registry { .. }] => {
            "Can't be seen from here: its volume is on another node, or Slipway runs in a container."
        }
        _ => "Can't be seen from here: Docker runs on another machine, or Slipway in a container.",
    }
}
