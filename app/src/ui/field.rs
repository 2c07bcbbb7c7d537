//! Fields: label above, hint below, error below the hint, both named by `aria-describedby`.
//!
//! A form that came back shows what was typed. Secrets never come back.

use super::form::Scope;
use crate::shell::escaped;
use leptos::prelude::*;

/// What is the same for every kind of field.
pub(super) struct Parts {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) described_by: Option<String>,
    pub(super) invalid: Option<&'static str>,
    pub(super) below: AnyView,
    pub(super) typed: Option<String>,
}

/// The id of a field's control; links in the error summary lead to it.
pub fn id_of(field: &str) -> String {
    format!("field-{field}")
}

pub(super) fn parts(field: &str, hint: Option<&str>) -> Parts {
    let scope = use_context::<Scope>().unwrap_or(Scope { state: None, nested: true });
    let id = id_of(field);
    let hint = hint.filter(|hint| !hint.is_empty());
    let error = scope.error(field);
    let hint_id = format!("{id}-hint");
    let error_id = format!("{id}-error");
    let described_by: Vec<_> =
        hint.map(|_| hint_id.clone()).into_iter().chain(error.as_ref().map(|_| error_id.clone())).collect();
    let hint = hint.map(ToOwned::to_owned);
    Parts {
        name: scope.name(field),
        described_by: (!described_by.is_empty()).then(|| described_by.join(" ")),
        invalid: error.as_ref().map(|_| "true"),
        typed: scope.typed(field),
        below: view! {
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
            {error.map(|error| view! { <p class="error" id=error_id>{error}</p> })}
        }
        .into_any(),
        id,
    }
}

/// A field of one line.
#[component]
pub fn Field(
    /// The field's name in the form struct.
    #[prop(into)]
    field: String,
    /// What it is.
    label: &'static str,
    /// What is there now.
    #[prop(optional, into)]
    value: String,
    /// What to type, and why.
    #[prop(optional, into)]
    hint: Option<String>,
    /// Whether it can't be left empty.
    #[prop(optional)]
    required: bool,
    /// For password managers: `username`, `off`, …
    #[prop(optional)]
    autocomplete: Option<&'static str>,
    /// For on-screen keyboards: `numeric`, `url`.
    #[prop(optional)]
    inputmode: Option<&'static str>,
    /// Whether it holds names that are read letter by letter.
    #[prop(optional)]
    mono: bool,
    /// `text` if it isn't said; `date` for days.
    #[prop(default = "text")]
    kind: &'static str,
    /// Suggestions.
    #[prop(optional)]
    suggest: Vec<String>,
    /// What counts when nothing is typed; never the only words that say so.
    #[prop(optional, into)]
    placeholder: Option<String>,
) -> impl IntoView {
    let Parts { id, name, described_by, invalid, below, typed } = parts(&field, hint.as_deref());
    let list = (!suggest.is_empty()).then(|| format!("{id}-list"));
    let options = list.clone().map(|list| {
        let options = suggest.into_iter().map(|value| view! { <option value=value></option> }).collect_view();
        view! { <datalist id=list>{options}</datalist> }
    });
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                class=if mono { "input mono" } else { "input" }
                type=kind
                id=id
                name=name
                value=typed.unwrap_or(value)
                required=required
                autocomplete=autocomplete.unwrap_or("off")
                inputmode=inputmode
                placeholder=placeholder
                spellcheck="false"
                autocapitalize="none"
                list=list
                aria-describedby=described_by
                aria-invalid=invalid
            />
            {options}
            {below}
        </div>
    }
}

/// A password or token; never filled in by us.
#[component]
pub fn SecretField(
    /// The field's name in the form struct.
    field: &'static str,
    /// What it is.
    label: &'static str,
    /// What to type, and why.
    #[prop(optional, into)]
    hint: Option<String>,
    /// `current-password`, `new-password` or `off`.
    autocomplete: &'static str,
    /// Whether it can't be left empty.
    #[prop(optional)]
    required: bool,
) -> impl IntoView {
    let Parts { id, name, described_by, invalid, below, .. } = parts(field, hint.as_deref());
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                class="input"
                type="password"
                id=id
                name=name
                required=required
                autocomplete=autocomplete
                aria-describedby=described_by
                aria-invalid=invalid
            />
            {below}
        </div>
    }
}

/// A file whose content is sent; the form around it has to be an upload.
#[component]
pub fn FileField(
    /// The field's name in the form struct.
    field: &'static str,
    /// What it is.
    label: &'static str,
    /// What to choose, and why.
    #[prop(optional, into)]
    hint: Option<String>,
) -> impl IntoView {
    let Parts { id, name, described_by, invalid, below, .. } = parts(field, hint.as_deref());
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input class="input file" type="file" id=id name=name aria-describedby=described_by aria-invalid=invalid/>
            {below}
        </div>
    }
}

/// A field of several lines.
#[component]
pub fn TextArea(
    /// The field's name in the form struct.
    #[prop(into)]
    field: String,
    /// What it is.
    label: &'static str,
    /// What is there now.
    #[prop(optional, into)]
    value: String,
    /// What to type, and why.
    #[prop(optional, into)]
    hint: Option<String>,
    /// Lines shown at first.
    #[prop(default = 4)]
    rows: u32,
) -> impl IntoView {
    let Parts { id, name, described_by, invalid, below, typed } = parts(&field, hint.as_deref());
    // Browsers drop one line break behind the opening tag. The framework doesn't escape what is inside.
    let value = format!("\n{}", escaped(&typed.unwrap_or(value)));
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <textarea
                class="input mono"
                id=id
                name=name
                rows=rows
                spellcheck="false"
                autocapitalize="none"
                autocomplete="off"
                aria-describedby=described_by
                aria-invalid=invalid
            >
                {value}
            </textarea>
            {below}
        </div>
    }
}

/// A choice of one.
#[component]
pub fn Select(
    /// The field's name in the form struct.
    field: &'static str,
    /// What it is.
    label: &'static str,
    /// Value and words of each choice.
    options: Vec<(String, String)>,
    /// The value chosen now.
    #[prop(optional, into)]
    value: String,
    /// What to choose, and why.
    #[prop(optional, into)]
    hint: Option<String>,
) -> impl IntoView {
    let Parts { id, name, described_by, invalid, below, typed } = parts(field, hint.as_deref());
    let chosen = typed.unwrap_or(value);
    let options = options
        .into_iter()
        .map(|(value, words)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{words}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <select class="input" id=id name=name aria-describedby=described_by aria-invalid=invalid>{options}</select>
            {below}
        </div>
    }
}

/// Yes or no.
#[component]
pub fn Checkbox(
    /// The field's name in the form struct.
    #[prop(into)]
    field: String,
    /// What it is.
    label: &'static str,
    /// Whether it is ticked now.
    #[prop(optional)]
    checked: bool,
    /// What it means.
    #[prop(optional, into)]
    hint: Option<String>,
) -> impl IntoView {
    let came_back = use_context::<Scope>().is_some_and(|scope| scope.state.is_some());
    let Parts { id, name, described_by, invalid, below, typed } = parts(&field, hint.as_deref());
    let checked = if came_back { typed.is_some() } else { checked };
    view! {
        <div class="field">
            <div class="check">
                <input
                    type="checkbox"
                    id=id.clone()
                    name=name
                    value="on"
                    checked=checked
                    aria-describedby=described_by
                    aria-invalid=invalid
                />
                <label for=id>{label}</label>
            </div>
            {below}
        </div>
    }
}
