//! The image of each platform: its layers and what its configuration says.

use crate::model::image::{ImageConfig, Layer, PlatformImage};
use crate::model::text;
use crate::ui::{Age, Card, Digest, Fact, Facts};
use leptos::prelude::*;

/// One card for each platform; all but the first are folded.
pub fn cards(platforms: Vec<PlatformImage>) -> impl IntoView {
    let only = platforms.len() == 1;
    platforms
        .into_iter()
        .enumerate()
        .map(|(index, one)| {
            let title = one.platform.as_ref().map_or_else(|| "No platform".to_owned(), ToString::to_string);
            let size = view! { <span class="muted">{text::bytes(one.size)}</span> }.into_any();
            let inner = inner(one);
            let content = if only {
                inner
            } else {
                view! { <details class="fold" open=index == 0><summary>"Layers and configuration"</summary><div class="stack">{inner}</div></details> }
                    .into_any()
            };
            view! { <Card title=title actions=size>{content}</Card> }
        })
        .collect_view()
}

fn inner(one: PlatformImage) -> AnyView {
    let PlatformImage { digest, config, layers, .. } = one;
    let config = match config {
        Some(config) => of_config(config).into_any(),
        None => view! { <p class="muted">"Its configuration wasn't read. “Look now” asks for it."</p> }.into_any(),
    };
    let count = text::count(u64::try_from(layers.len()).unwrap_or(0), "layer");
    let rows = layers.into_iter().map(of_layer).collect_view();
    view! {
        <Facts><Fact name="Manifest"><Digest digest=digest.to_string()/></Fact></Facts>
        {config}
        <h3>{count}</h3>
        <ol class="layers">{rows}</ol>
    }
    .into_any()
}

fn of_layer(layer: Layer) -> impl IntoView {
    let Layer { digest, media_type, size } = layer;
    // `application/vnd.oci.image.layer.v1.tar+gzip`: the end is what tells them apart.
    let kind = media_type.rsplit('.').next().unwrap_or_default().to_owned();
    view! {
        <li>
            <code title=digest.to_string()>{digest.brief()}</code>
            <span class="what muted" title=media_type>{kind}</span>
            <span class="num">{text::bytes(size)}</span>
        </li>
    }
}

fn of_config(config: ImageConfig) -> impl IntoView {
    let ImageConfig { created, entrypoint, cmd, env_names, ports, volumes, user, working_dir, labels, history } =
        config;
    let made = match created {
        Some(created) => view! { <Age seconds=created/> }.into_any(),
        None => view! { <span class="muted">"Not told"</span> }.into_any(),
    };
    let user = if user.is_empty() { "root".to_owned() } else { user };
    let steps = history.iter().filter(|(_, is_empty)| !is_empty).count();
    let history_title = format!(
        "How it was made: {}, {}",
        text::count(u64::try_from(history.len()).unwrap_or(0), "step"),
        text::count(u64::try_from(steps).unwrap_or(0), "layer"),
    );
    let made_by = history
        .into_iter()
        .map(|(command, is_empty)| {
            let class = if is_empty { "muted" } else { "" };
            view! { <li class=class><code>{command}</code></li> }
        })
        .collect_view();
    view! {
        <Facts>
            <Fact name="Made">{made}</Fact>
            <Fact name="Entry point">{words(&entrypoint)}</Fact>
            <Fact name="Command">{words(&cmd)}</Fact>
            <Fact name="Working folder">{words(&[working_dir])}</Fact>
            <Fact name="User"><code>{user}</code></Fact>
            <Fact name="Ports">{list(ports)}</Fact>
            <Fact name="Variables">{list(env_names)}</Fact>
            <Fact name="Volumes">{list(volumes)}</Fact>
        </Facts>
        {(!labels.is_empty()).then(|| view! { <h3>"Labels"</h3>{pairs(labels)} })}
        <details class="fold"><summary>{history_title}</summary><ol class="history">{made_by}</ol></details>
    }
}

fn none() -> AnyView {
    view! { <span class="muted">"None"</span> }.into_any()
}

/// A command line, for reading.
fn words(words: &[String]) -> AnyView {
    let words = words.join(" ");
    if words.is_empty() { none() } else { view! { <code>{words}</code> }.into_any() }
}

fn list(items: Vec<String>) -> AnyView {
    if items.is_empty() {
        return none();
    }
    let count = items.len();
    let items = items
        .into_iter()
        .enumerate()
        .map(|(index, item)| view! { <code>{item}</code> {(index + 1 < count).then_some(", ")} })
        .collect_view();
    items.into_any()
}

/// Names and values as they came.
pub fn pairs(pairs: Vec<(String, String)>) -> impl IntoView {
    let rows =
        pairs.into_iter().map(|(name, value)| view! { <dt><code>{name}</code></dt><dd>{value}</dd> }).collect_view();
    view! { <dl class="facts labels">{rows}</dl> }
}
