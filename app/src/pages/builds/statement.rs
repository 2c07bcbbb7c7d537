//! The facts of an in-toto statement that people look for first. What others wrote: nothing is taken for granted.

use crate::model::text::{self, is_hidden};
use serde_json::Value;

/// Characters of a value that are shown, and most values of one fact.
const TEXT: usize = 300;
const MOST: usize = 30;

/// A fact and its values.
pub type Told = (&'static str, Vec<String>);

/// The facts; none of what isn't JSON.
pub fn facts(statement: &str) -> Vec<Told> {
    let Ok(statement) = serde_json::from_str::<Value>(statement) else { return Vec::new() };
    let predicate = &statement["predicate"];
    let mut told = vec![("About", subjects(&statement["subject"]))];
    match statement["predicateType"].as_str().unwrap_or_default() {
        kind if kind.starts_with("https://slsa.dev/provenance/") => provenance(predicate, &mut told),
        kind if kind.starts_with("https://spdx.dev/") => {
            told.push(("Made by", texts(&predicate["creationInfo"]["creators"])));
            told.push(("Packages", count(&predicate["packages"])));
            told.push(("Files", count(&predicate["files"])));
        }
        kind if kind.starts_with("https://cyclonedx.org/") => {
            told.push(("Components", count(&predicate["components"])))
        }
        _ => {}
    }
    told.retain(|(_, values)| !values.is_empty());
    told
}

/// Of version 0.2 and 1 of the specification.
fn provenance(predicate: &Value, told: &mut Vec<Told>) {
    let (run, definition) = (&predicate["runDetails"], &predicate["buildDefinition"]);
    let is_new = definition.is_object();
    let either = |new: &Value, old: &Value| text(if is_new { new } else { old });
    let builder = either(&run["builder"]["id"], &predicate["builder"]["id"]);
    told.push((
        "Builder",
        builder.into_iter().chain((!is_new && predicate["builder"]["id"] == "").then(|| "Not told".into())).collect(),
    ));
    told.push(("Kind of build", either(&definition["buildType"], &predicate["buildType"]).into_iter().collect()));
    let materials = if is_new { &definition["resolvedDependencies"] } else { &predicate["materials"] };
    told.push(("Materials", materials.as_array().into_iter().flatten().filter_map(material).take(MOST).collect()));
    let parameters = if is_new {
        &definition["externalParameters"]["request"]["args"]
    } else {
        &predicate["invocation"]["parameters"]["args"]
    };
    let arguments = parameters.as_object().into_iter().flatten();
    told.push((
        "Arguments",
        arguments.filter_map(|(name, value)| Some(format!("{} = {}", clean(name), text(value)?))).take(MOST).collect(),
    ));
    let metadata = if is_new { &run["metadata"] } else { &predicate["metadata"] };
    told.push(("Began", either(&metadata["startedOn"], &metadata["buildStartedOn"]).into_iter().collect()));
    told.push(("Ended", either(&metadata["finishedOn"], &metadata["buildFinishedOn"]).into_iter().collect()));
}

fn subjects(subjects: &Value) -> Vec<String> {
    subjects.as_array().into_iter().flatten().filter_map(|subject| text(&subject["name"])).take(MOST).collect()
}

/// Where it came from, and the digest that it had.
fn material(material: &Value) -> Option<String> {
    let uri = text(&material["uri"])?;
    let digest = material["digest"].as_object().and_then(|all| all.iter().next());
    Some(match digest.and_then(|(algorithm, value)| Some((clean(algorithm), text(value)?))) {
        Some((algorithm, value)) if !uri.contains(&value) => format!("{uri} {algorithm}:{value}"),
        _ => uri,
    })
}

fn texts(values: &Value) -> Vec<String> {
    values.as_array().into_iter().flatten().filter_map(text).take(MOST).collect()
}

fn count(values: &Value) -> Vec<String> {
    let count = values.as_array().map(|values| u64::try_from(values.len()).unwrap_or(u64::MAX));
    count.map(text::figure).into_iter().collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(clean).filter(|text| !text.is_empty())
}

fn clean(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).take(TEXT).collect()
}

/// The statement for reading: indented, and what can't be seen is spelled out. As it is where it isn't JSON.
pub fn pretty(statement: &str) -> String {
    let value = serde_json::from_str::<Value>(statement).ok();
    let text =
        value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| statement.to_owned());
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if is_hidden(c) && c != '\n' {
            shown.extend(c.escape_unicode())
        } else {
            shown.push(c)
        }
        shown
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one<'a>(told: &'a [Told], name: &str) -> &'a [String] {
        told.iter().find(|(fact, _)| *fact == name).map(|(_, values)| values.as_slice()).unwrap_or_default()
    }

    #[test]
    fn the_provenance_of_both_versions_is_read() {
        // As BuildKit 0.13 writes it, shortened.
        let old = r#"{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2",
            "subject":[{"name":"pkg:docker/registry.example.com/shop/web@1?platform=linux%2Famd64","digest":{"sha256":"aa"}}],
            "predicate":{"builder":{"id":""},"buildType":"https://mobyproject.org/buildkit@v1",
                "materials":[{"uri":"pkg:docker/base@1?digest=sha256:bb","digest":{"sha256":"bb"}},{"uri":"pkg:x/y","digest":{"sha256":"cc"}},7],
                "invocation":{"parameters":{"frontend":"dockerfile.v0","args":{"build-arg:VERSION":"1","n":3}}},
                "metadata":{"buildStartedOn":"2026-11-28T13:14:02Z","buildFinishedOn":"2026-11-28T13:14:03Z"}}}"#;
        let told = facts(old);
        assert_eq!(one(&told, "Builder"), ["Not told"]);
        assert_eq!(one(&told, "Kind of build"), ["https://mobyproject.org/buildkit@v1"]);
        assert_eq!(one(&told, "Materials"), ["pkg:docker/base@1?digest=sha256:bb", "pkg:x/y sha256:cc"]);
        assert_eq!(one(&told, "Arguments"), ["build-arg:VERSION = 1"]);
        assert_eq!(one(&told, "Ended"), ["2026-11-28T13:14:03Z"]);
        assert_eq!(one(&told, "About").len(), 1);

        let new = r#"{"predicateType":"https://slsa.dev/provenance/v1","predicate":{
            "buildDefinition":{"buildType":"https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
                "resolvedDependencies":[{"uri":"pkg:docker/base@1","digest":{"sha256":"bb"}}],
                "externalParameters":{"request":{"args":{"target":"web"}}}},
            "runDetails":{"builder":{"id":"https://ci.example.com/1"},"metadata":{"startedOn":"2026-11-28T13:14:02Z"}}}}"#;
        let told = facts(new);
        assert_eq!(one(&told, "Builder"), ["https://ci.example.com/1"]);
        assert_eq!(one(&told, "Materials"), ["pkg:docker/base@1 sha256:bb"]);
        assert_eq!(one(&told, "Arguments"), ["target = web"]);
        assert_eq!(one(&told, "Began"), ["2026-11-28T13:14:02Z"]);
    }

    #[test]
    fn a_bill_of_materials_is_counted() {
        let spdx = r#"{"predicateType":"https://spdx.dev/Document","predicate":{"SPDXID":"SPDXRef-DOCUMENT",
            "creationInfo":{"creators":["Organization: Anchore, Inc","Tool: syft-v0.1"]},
            "packages":[{"name":"busybox","versionInfo":"1.36"},{"name":"libc"}],"files":[{"fileName":"/bin/sh"}]}}"#;
        let told = facts(spdx);
        assert_eq!(one(&told, "Made by"), ["Organization: Anchore, Inc", "Tool: syft-v0.1"]);
        assert_eq!(
            (one(&told, "Packages"), one(&told, "Files")),
            (["2".to_owned()].as_slice(), ["1".to_owned()].as_slice())
        );
        let cyclone = r#"{"predicateType":"https://cyclonedx.org/bom","predicate":{"components":[{},{},{}]}}"#;
        assert_eq!(one(&facts(cyclone), "Components"), ["3"]);
    }

    #[test]
    fn what_others_wrote_is_not_trusted() {
        for text in ["", "[]", "{}", "7", r#"{"predicateType":7,"subject":{},"predicate":[]}"#, "{\"predicate\":null}"]
        {
            assert_eq!(facts(text), Vec::<Told>::new(), "{text}");
        }
        let hidden = "{\"predicateType\":\"https://slsa.dev/provenance/v1\",\"predicate\":{\"buildDefinition\":{\"buildType\":\"a\u{202e}b\"}}}";
        assert_eq!(one(&facts(hidden), "Kind of build"), ["a b"]);
        let shown = pretty(hidden);
        assert!(shown.contains("a\\u{202e}b") && shown.lines().count() > 4, "{shown}");
        assert_eq!(pretty("not JSON"), "not JSON");
    }
}
