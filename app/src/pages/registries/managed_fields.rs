//! The form of a registry that Slipway runs. Fields of the storage that isn't chosen are hidden by the style sheet alone,
//! so that without `:has()` everything is there.

use super::typed_platforms;
use crate::model::registry::{Managed, Registry, Storage, Suggestions};
use crate::ui::{Checkbox, Choice, Choices, Field, More, SecretField, Select, Submit};
use leptos::prelude::*;

/// The fields of a new one.
pub(super) fn new(found: Suggestions, is_first: bool) -> impl IntoView + use<> {
    let Suggestions { port, image, reach, node, platforms, volumes } = found;
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    let storage = vec![
        Choice {
            value: "volume",
            title: "A volume",
            hint: "On a disk of this Swarm. Simple and fast; it lives on one node.".into(),
        },
        Choice {
            value: "s3",
            title: "A bucket (S3)",
            hint: "At Amazon, or any store that speaks S3. The registry can run on every node.".into(),
        },
    ];
    let volume = (!volumes.is_empty()).then(|| {
        let mut options = vec![(String::new(), "A new, empty one".to_owned())];
        options.extend(volumes.into_iter().map(|name| (name.clone(), format!("{name} (kept)"))));
        view! {
            <Select field="volume" label="Volume" options=options
                hint="A volume that was kept when a registry was deleted still has its images."/>
        }
    });
    view! {
        <Field field="name" label="Name" required=true hint="What you call it, like “internal”."/>
        <Checkbox field="is_default" label="Use as default" checked=is_first
            hint="Services that don't name a registry push here."/>
        <Choices field="storage" label="Where images are kept" options=storage value="volume"/>
        <div class="stack of-volume">
            {volume}
            {(!node.is_empty()).then(|| view! { <p class="hint">{node}</p> })}
        </div>
        <div class="stack of-s3">{bucket()}{keys(true)}{bucket_options()}</div>
        {architectures(false, names.join(", "), &names)}
        {more(None, &image, port)}
        {(!reach.is_empty()).then(|| view! { <p class="hint">{reach}</p> })}
        <p class="hint">"A user and a long password are made for it, and handed to the nodes that pull."</p>
        <Submit text="Create registry" class="primary"/>
    }
}

/// The fields of one that is there. Where its images are, and the port in their names, stay.
pub(super) fn of(registry: &Registry, managed: &Managed) -> impl IntoView + use<> {
    let platforms = typed_platforms(registry);
    let keys = matches!(managed.storage, Storage::S3(_)).then(|| keys(false));
    view! {
        <Field field="name" label="Name" value=registry.name.clone() required=true hint="What you call it. Images keep their names."/>
        <Checkbox field="is_default" label="Use as default" checked=registry.is_default
            hint="Services that don't name a registry push here."/>
        {keys}
        {architectures(!platforms.is_empty(), platforms, &[])}
        {more(Some(managed), &managed.image, managed.port)}
        <Submit text="Save registry" class="primary"/>
    }
}

fn bucket() -> impl IntoView {
    view! {
        <Field field="s3_bucket" label="Bucket" mono=true hint="It has to exist already."/>
        <Field field="s3_region" label="Region" value="us-east-1" mono=true
            hint="Where the bucket is, like eu-central-1. Stores without regions take us-east-1."/>
        <Field field="s3_endpoint" label="Endpoint" mono=true inputmode="url"
            hint="https://host[:port] of the store. Leave it empty for Amazon's own."/>
    }
}

fn keys(is_new: bool) -> impl IntoView {
    let kept = if is_new { "" } else { " Leave it empty to keep the one that is stored." };
    view! {
        <Field field="s3_access_key" label="Access key" mono=true
            hint=format!("The key's id. It may read, write, list and delete in this bucket.{kept}")/>
        <SecretField field="s3_secret_key" label="Secret key" autocomplete="off"
            hint=format!("Stored encrypted, handed to the registry as a Docker secret, and never shown.{kept}")/>
    }
}

fn bucket_options() -> impl IntoView {
    view! {
        <More title="More about the bucket" fields=&["s3_prefix", "s3_path_style", "s3_encrypt", "s3_internal"]>
            <Field field="s3_prefix" label="Prefix" mono=true
                hint="Comes before every key, so that a bucket can hold more than this. It can't be changed later."/>
            <Checkbox field="s3_path_style" label="Path style"
                hint="endpoint/bucket instead of bucket.endpoint. Most stores that aren't Amazon's want it."/>
            <Checkbox field="s3_encrypt" label="Encrypt what is kept"
                hint="Asks the store to encrypt every object (AES256)."/>
            <Checkbox field="s3_internal" label="Internal network"
                hint="The store is in your own network: private addresses may be reached, over plain http:// too."/>
        </More>
    }
}

fn architectures(is_on: bool, value: String, suggested: &[String]) -> impl IntoView + use<> {
    let reason = match suggested {
        [_, _, ..] => format!(
            "Your nodes are {}: with this, each of them can run what is built. Builds take longer, because foreign platforms are emulated.",
            suggested.join(" and ")
        ),
        _ => "Only needed when nodes differ in architecture. Builds take much longer, because foreign platforms are emulated.".into(),
    };
    view! {
        <Checkbox field="multi_arch" label="Build for several platforms" checked=is_on hint=reason/>
        <div class="of-platforms">
            <Field field="platforms" label="Platforms" value=value mono=true hint="With commas: linux/amd64, linux/arm64."/>
        </div>
    }
}

fn more(of: Option<&Managed>, image: &str, port: u16) -> impl IntoView + use<> {
    let domain = of.and_then(|of| of.domain.as_ref()).map(ToString::to_string).unwrap_or_default();
    let open = !domain.is_empty();
    let (image_value, image_hint) = match of {
        Some(_) => {
            (image.to_owned(), "Another version is tried, and the old one comes back when the probe fails.".to_owned())
        }
        None => (String::new(), "Leave it empty for the tested one. Versions 2.8 and 3 work.".to_owned()),
    };
    let tested = image.to_owned();
    let port = match of {
        Some(_) => ().into_any(),
        None => view! {
            <Field field="port" label="Port" inputmode="numeric" placeholder=port.to_string()
                hint=format!("Every node reaches it as 127.0.0.1 at this port, and so images are named. Leave it empty for {port}, which is free. It can't be changed later.")/>
        }
        .into_any(),
    };
    view! {
        <More title="More" fields=&["image", "port", "domain"] open=open>
            <Field field="image" label="Registry image" value=image_value mono=true placeholder=tested hint=image_hint/>
            {port}
            <Field field="domain" label="Public domain" value=domain mono=true
                hint="Optional: a name under which your reverse proxy shows it to the outside, over https. Nodes don't use it."/>
        </More>
    }
}
