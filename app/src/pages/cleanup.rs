//! What of our own lies on nodes, what of it may go, and the rules.

use crate::api::cleanup::{LookAtNodes, RunCleanup, SetCleanupRules};
use crate::islands::refresh::Refresh;
use crate::model::cleanup::{CacheSeen, CleanupPlan, CleanupRules, CleanupRun, LocalImage, Stays};
use crate::model::registry::Registry;
use crate::model::retention::Need;
use crate::model::text;
use crate::pages::{Page, PageResult, disk};
use crate::ui::table::{Column, col, wide};
use crate::ui::{
    Age, Badge, Card, Checkbox, Field, Form, JobBadge, Name, Note, PageHead, ProblemBox, Submit, Table, Tone,
};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let rules = backend.cleanup.rules(&actor).await?;
    let plan = backend.cleanup.plan(&actor).await?;
    let runs = backend.cleanup.runs(&actor).await?;
    let cache_words = cache_words(&rules);
    let room = disk::card(backend.disk.spaces(&actor).await?);
    let registries = registries(&backend.registries.list(&actor).await?);
    Ok(Page::new(
        "Clean-up",
        view! {
            <PageHead title="Clean-up">
                <Refresh parts="plan runs".to_owned()/>
                <Form to=LookAtNodes::PATH class="row" flat=true><Submit text="Look again" icon=Name::Refresh/></Form>
                <Form to=RunCleanup::PATH class="row" flat=true><Submit text="Clean up now" class="primary" icon=Name::Trash/></Form>
            </PageHead>
            <p>
                "Removes images that Slipway built or deployed and that no service needs any more. Images of others, containers, volumes and networks are never touched."
            </p>
            {room}
            <div id="plan" class="stack" data-page="plan">{images(&plan)} {caches(&plan.caches, cache_words)}</div>
            <div id="runs" data-page="runs">{last_runs(&runs)}</div>
            <Card title="Rules" id="rules">{form(&rules)}</Card>
            {registries}
        },
    ))
}

fn images(plan: &CleanupPlan) -> AnyView {
    let unreached = (!plan.unreached.is_empty()).then(|| {
        let rows = plan
            .unreached
            .iter()
            .map(|(node, why)| view! { <li><strong>{node.clone()}</strong>": "{why.clone()}</li> })
            .collect_view();
        view! {
            <Note tone="warn" title="These nodes aren't cleaned up"><ul>{rows}</ul></Note>
        }
    });
    let problem = plan.problem.clone().map(|problem| view! { <ProblemBox problem/> });
    if plan.at == 0 {
        return view! { {problem} <Card title="Images"><p>"Slipway hasn't looked yet. That happens within a minute."</p></Card> }
            .into_any();
    }
    let gone = plan.goes().count();
    let sum = match gone {
        0 => "Nothing would be removed now.".to_owned(),
        1 => format!("1 image would be removed; that frees at least {}.", text::bytes(plan.frees())),
        n => format!("{n} images would be removed; that frees at least {}.", text::bytes(plan.frees())),
    };
    let (count, size) = plan.foreign;
    let foreign = match count {
        0 => "There are no images of others.".to_owned(),
        1 => format!("1 other image ({}) isn't Slipway's and is never touched.", text::bytes(size)),
        n => format!("{n} other images ({}) aren't Slipway's and are never touched.", text::bytes(size)),
    };
    let rows = plan.images.iter().map(row).collect_view();
    let columns = vec![
        col("Image"),
        wide("Node"),
        Column { name: "Size", class: "num" },
        col("What happens"),
        wide("Last built or deployed"),
    ];
    let table =
        (!plan.images.is_empty()).then(|| view! { <Table name="Images of Slipway" columns=columns>{rows}</Table> });
    let at = plan.at;
    view! {
        {problem}
        {unreached}
        <Card title="Images" flush=true>
            {table}
            <p class="foot hint">{sum}" "{foreign}" Looked "<Age seconds=at/>"."</p>
        </Card>
    }
    .into_any()
}

fn row(image: &LocalImage) -> impl IntoView + use<> {
    let name = image.names.first().cloned().unwrap_or_else(|| image.id.clone());
    let (short, digest) = match name.split_once('@') {
        Some((short, _)) if !short.is_empty() => (short.to_owned(), true),
        _ => (name.clone(), false),
    };
    let more = image.names.len().saturating_sub(1);
    let more = (more > 0).then(|| view! { <span class="hint">{format!("and {} more", text::count(u64::try_from(more).unwrap_or(u64::MAX), "name"))}</span> });
    let service = image.service.clone().map(|service| view! { <span class="hint">{format!("of {service}")}</span> });
    let title = digest.then_some(name);
    let (tone, word, why) = match &image.stays {
        None => (Tone::Warn, "Goes", "No service needs it.".to_owned()),
        Some(stays) => (Tone::Ok, "Stays", why(stays)),
    };
    let at = image.at;
    view! {
        <tr>
            <td class="key"><code title=title>{short}</code>{service}{more}</td>
            <td class="wide">{image.node.clone()}</td>
            <td class="num">{text::bytes(image.size)}</td>
            <td><Badge tone=tone text=word/><span class="hint">{why}</span></td>
            <td class="wide">{(at > 0).then(|| view! { <Age seconds=at/> })}</td>
        </tr>
    }
}

/// Why it stays, as a sentence.
fn why(stays: &Stays) -> String {
    match stays {
        Stays::Foreign => "It also has a name that isn't Slipway's.".into(),
        Stays::InUse => {
            "A container has it, running or stopped. The Swarm keeps those of a service's last tasks for a while."
                .into()
        }
        Stays::Service { name, need } => match need {
            Need::Runs => format!("{name} runs it."),
            Need::UnderWay => format!("{name} is about to run it."),
            Need::Pinned => format!("It is pinned in {name}."),
            Need::Window => format!("Among the last versions of {name}: going back stays instant."),
        },
        Stays::Fresh => "It was built or deployed within the last hour.".into(),
        Stays::Room => "All images together are within the budget.".into(),
    }
}

fn cache_words(rules: &CleanupRules) -> String {
    match rules.cache_days {
        Some(1) => "What no build has used for a day goes.".into(),
        Some(days) => format!("What no build has used for {days} days goes."),
        None => "Build cache stays: the rule for it is empty.".into(),
    }
}

fn caches(caches: &[CacheSeen], words: String) -> impl IntoView + use<> {
    let rows = caches
        .iter()
        .map(|cache| {
            let size = cache.size.map_or_else(|| "Not known".to_owned(), text::bytes);
            let (tone, word) = if cache.is_trimmed { (Tone::Warn, "Trimmed") } else { (Tone::Ok, "Stays") };
            let why = match (cache.is_ours, cache.is_trimmed) {
                (true, true) => "Only Slipway builds there.",
                (true, false) => "There is no rule for build cache.",
                (false, true) => "Also what others built with this engine, because the rules say so.",
                (false, false) => "Others may build with it too, and nobody can tell whose records are whose.",
            };
            view! {
                <tr>
                    <td>{cache.builder.clone()}</td>
                    <td class="num">{size}</td>
                    <td><Badge tone=tone text=word/><span class="hint">{why}</span></td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![col("Builder"), Column { name: "Size", class: "num" }, col("What happens")];
    view! {
        <Card title="Build cache" flush=true>
            <Table name="Build cache" columns=columns>{rows}</Table>
            <p class="foot hint">{words}" Caches in Slipway's own data folder are kept within 10 GB by each build."</p>
        </Card>
    }
}

fn last_runs(runs: &[CleanupRun]) -> impl IntoView + use<> {
    if runs.is_empty() {
        return view! { <Card title="Last runs"><p>"Nothing was cleaned up yet."</p></Card> }.into_any();
    }
    let rows = runs
        .iter()
        .map(|run| {
            let (gone, refused) = run.report.counts();
            let mut words = format!("{gone} {} removed", if gone == 1 { "image" } else { "images" });
            if refused > 0 {
                words.push_str(&format!(", {refused} not"));
            }
            let first = run.report.images.iter().find_map(|image| {
                image.refused.as_ref().map(|why| format!("{}: {why}", image.name))
            });
            let failed = run.report.caches.iter().find_map(|(name, done)| {
                done.as_ref().err().map(|why| format!("Build cache of {name}: {why}"))
            });
            let created = run.created;
            view! {
                <tr>
                    <td><a href=paths::job(&run.job)><Age millis=created/></a><span class="hint">{format!("by {}", run.asked_by)}</span></td>
                    <td>{words}{first.map(|first| view! { <span class="hint">{first}</span> })}{failed.map(|failed| view! { <span class="hint">{failed}</span> })}</td>
                    <td class="num">{text::bytes(run.report.freed())}</td>
                    <td><JobBadge state=run.state/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![col("When"), col("What"), Column { name: "Freed at least", class: "num" }, col("State")];
    view! { <Card title="Last runs" flush=true><Table name="Last runs" columns=columns>{rows}</Table></Card> }
        .into_any()
}

/// What makes room in registries of ours.
fn registries(registries: &[Registry]) -> Option<impl IntoView + use<>> {
    let links = registries
        .iter()
        .filter(|registry| registry.managed.is_some())
        .map(|registry| {
            let text = format!("Garbage of {}", registry.name);
            view! { <li><a href=paths::registry_garbage(&registry.id)>{text}</a></li> }
        })
        .collect::<Vec<_>>();
    (!links.is_empty()).then(|| {
        view! {
            <Card title="Registries">
                <p>"What is deleted in a registry takes room until its garbage is collected."</p>
                <ul class="plain">{links}</ul>
            </Card>
        }
    })
}

fn form(rules: &CleanupRules) -> impl IntoView + use<> {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let budget = rules.budget.map(|bytes| (bytes / 1_000_000_000).to_string()).unwrap_or_default();
    let (keep_last, days, hours, engine) =
        (rules.keep_last.to_string(), number(rules.cache_days), number(rules.every_hours), rules.engine_cache);
    view! {
        <Form to=SetCleanupRules::PATH>
            <Field field="keep_last" label="Versions of each service that stay on a node" inputmode="numeric" value=keep_last
                hint="Going back to one of them starts at once, without a pull. What runs, what is on its way and what is pinned stays in any case."/>
            <Field field="budget" label="Room for Slipway's images on a node, in GB" inputmode="numeric" value=budget
                hint="While they are within it nothing goes; beyond it the oldest go first. Layers that images share aren't counted. Empty: all that isn't needed goes."/>
            <Field field="cache_days" label="Days that build cache may stay unused" inputmode="numeric" value=days
                hint="Holds for builders that Slipway made. Empty: build cache stays."/>
            <Checkbox field="engine_cache" label="This engine's own build cache too, also that of others" checked=engine
                hint="Build cache carries no names: nobody can tell what in it is Slipway's. Tick this only when nobody else builds with this engine, or nobody minds slower builds."/>
            <Field field="every_hours" label="Hours between two runs" inputmode="numeric" value=hours
                hint="Empty: only when somebody asks for it."/>
            <Submit text="Save rules" class="primary"/>
        </Form>
    }
}
