//! What is in it, what sharing layers saves, how it grew, and how much room there is.

use crate::model::registry::{Disk, Managed, ManagedStatus, Storage, Usage};
use crate::model::text;
use crate::ui::chart::Growth;
use crate::ui::{Age, Card, Fact, Facts};
use leptos::prelude::*;

/// The card.
pub(super) fn card(status: &ManagedStatus, of: &Managed) -> impl IntoView + use<> {
    let counted = match status.usage {
        Some(usage) => counted(usage, status.disk, &of.storage),
        None => view! { <p class="muted">"What is in it is counted now and then; it hasn't been yet."</p> }.into_any(),
    };
    let points = status.growth.clone();
    view! {
        <Card title="Usage">
            <div class="stack" id="usage">
                {counted}
                <Growth points/>
            </div>
        </Card>
    }
}

fn counted(usage: Usage, disk: Option<Disk>, storage: &Storage) -> AnyView {
    let saved = (usage.shared > 0).then(|| {
        view! { <Fact name="Saved by sharing">{text::bytes(usage.shared)}" that layers would need if each image had its own"</Fact> }
    });
    let room = match (disk, storage) {
        (Some(disk), _) => {
            let per_cent = disk.free.saturating_mul(100) / disk.total.max(1);
            let words = format!("{} of {} free ({per_cent} %)", text::bytes(disk.free), text::bytes(disk.total));
            let used = disk.total.saturating_sub(disk.free);
            view! {
                <span class="room"><meter min="0" max=disk.total high=disk.total / 10 * 9 value=used aria-label="Used space">{words.clone()}</meter>{words}</span>
            }
            .into_any()
        }
        (None, Storage::S3(_)) => "A bucket has no known end".into_any(),
        (None, Storage::Volume { .. }) => "Not known for a volume on another node".into_any(),
    };
    view! {
        <Facts>
            <Fact name="Images">{text::repositories(usage.repositories)}", "{text::tags(usage.tags)}</Fact>
            <Fact name="Size">{text::bytes(usage.bytes)}<span class="muted">", each layer counted once"</span></Fact>
            {saved}
            <Fact name="Room">{room}</Fact>
            <Fact name="Counted"><Age seconds=usage.at/></Fact>
        </Facts>
    }
    .into_any()
}
