//! What the doctor found, light by light: a word, a shape and a colour, what was found, and what to do.

use crate::model::report::{Lamp, Light, Report};
use crate::model::text;
use crate::ui::{Age, Badge, Card, Tone};
use leptos::prelude::*;

/// The card with all lights.
pub(super) fn card(report: Option<&Report>) -> impl IntoView + use<> {
    match report {
        None => view! {
            <Card title="Doctor">
                <p class="muted">
                    "Only the sign-in was tested as it was saved. “Test again” looks at everything: name, connection, registry, \
                     sign-in, list, pull and push."
                </p>
            </Card>
        }
        .into_any(),
        Some(report) => {
            let lights = report.lights.iter().map(light).collect_view();
            let at = report.at;
            view! {
                <Card title="Doctor" flush=true actions=view! { <span class="hint">"Examined "<Age seconds=at/></span> }.into_any()>
                    <ul class="lights" aria-label="What the doctor found">{lights}</ul>
                </Card>
            }
            .into_any()
        }
    }
}

fn light(light: &Light) -> impl IntoView + use<> {
    let (tone, word, name) = match light.lamp {
        Lamp::Green => (Tone::Ok, "Works", "green"),
        Lamp::Amber => (Tone::Warn, "Limited", "amber"),
        Lamp::Red => (Tone::Bad, "Fails", "red"),
        Lamp::Dark => (Tone::Idle, "Not tested", "dark"),
    };
    let took =
        (light.millis > 0).then(|| view! { <span class="hint num">{text::duration(light.millis.into())}</span> });
    let remedy = light.remedy.clone().map(|remedy| view! { <p class="remedy">{remedy}</p> });
    let answer = light.answer.clone().map(|answer| {
        view! { <p class="hint">"The registry's answer: "<code>{answer}</code></p> }
    });
    view! {
        <li data-check=light.check.name() data-lamp=name>
            <span class="check-name">{light.check.name()}</span>
            <Badge tone=tone text=word/>
            <div class="stack"><p>{light.found.clone()}</p>{remedy}{answer}</div>
            {took}
        </li>
    }
}
