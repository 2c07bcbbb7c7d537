//! The fields of builders and their machines.

use crate::model::builder::{BUILDKIT, Builder, BuilderKind};
use crate::ui::{Field, TextArea};
use leptos::prelude::*;

/// The fields of a builder; of the engine's own, the limit alone.
pub(super) fn builder(kind: BuilderKind, of: Option<&Builder>) -> impl IntoView + use<> {
    let is_added = kind != BuilderKind::Engine;
    let name = of.map(|of| of.name.clone()).unwrap_or_default();
    let image = of.and_then(|of| of.image.as_ref()).map(ToString::to_string).unwrap_or_default();
    let caps = of.map(|of| of.caps).unwrap_or_default();
    let memory = caps.memory.map(|memory| memory.to_string()).unwrap_or_default();
    let limit = of.and_then(|of| of.limit).map(|limit| limit.to_string()).unwrap_or_default();
    view! {
        {is_added.then(|| view! {
            <Field field="name" label="Name" value=name required=true hint="What you call it, like “arm machines”."/>
        })}
        {(kind == BuilderKind::Container).then(|| view! {
            <Field field="cpus" label="Processor cap" value=caps.typed_cpus() inputmode="decimal"
                hint="Cores that its builds may use together, like 1.5. Empty: all of them."/>
            <Field field="memory" label="Memory cap in MiB" value=memory inputmode="numeric"
                hint="A build that needs more is ended. Empty: no cap."/>
        })}
        <Field field="limit" label="Builds at once" value=limit inputmode="numeric"
            hint="Others wait in the queue. Empty: as many as there are places for all builds."/>
        {is_added.then(|| view! {
            <Field field="image" label="BuildKit image" value=image mono=true placeholder=BUILDKIT
                hint=format!("Its container is made from this where Docker starts it. Empty: {BUILDKIT}.")/>
        })}
    }
}

/// The fields of a machine elsewhere.
pub(super) fn machine() -> impl IntoView {
    let common = ["linux/arm64", "linux/amd64", "linux/arm/v7", "linux/riscv64", "linux/s390x", "linux/ppc64le"];
    view! {
        <Field field="platform" label="Platform" mono=true required=true suggest=common.map(str::to_owned).to_vec()
            hint="What its processor runs, like linux/arm64. One machine for each platform."/>
        <Field field="endpoint" label="Address" mono=true required=true inputmode="url"
            hint="ssh://user@host for a machine with Docker: the account that Slipway runs as has to be able to sign in there without being asked. tcp://host:1234 for a BuildKit that listens with TLS."/>
        <p class="hint">"The rest is for tcp:// alone, as PEM text. It is stored encrypted, and a file only while buildx needs it."</p>
        <TextArea field="ca" label="Authority" rows=2 hint="The certificate of whoever signed that machine's certificate."/>
        <TextArea field="certificate" label="Certificate" rows=2 hint="The one that Slipway shows there."/>
        <TextArea field="secret_key" label="Key" rows=2 hint="That certificate's key, without a passphrase. It is never shown again."/>
    }
}
