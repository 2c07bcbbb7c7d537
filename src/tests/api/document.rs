//! The document: every route and nothing else, whole, and true of what is answered.

use super::engine;
use super::{Got, House};
use ::http::Method;
use serde_json::{Value, json};
use slipway::http::api;
use slipway::http::permissions::{Access, Entry, TABLE, find};
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(api::document()).expect("JSON")
}

/// What a reference leads to.
fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(to) => {
            let path = to.strip_prefix('#').expect("a reference into the document");
            document.pointer(path).unwrap_or_else(|| panic!("{to} leads nowhere"))
        }
        None => schema,
    }
}

/// Everything that fits `wanted`, wherever it is.
fn all<'v>(value: &'v Value, wanted: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == wanted {
                    found.push(value);
                }
                all(value, wanted, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, wanted, found)),
        _ => {}
    }
}

/// Whether a value fits a schema: types, required fields, no others, choices, references. Errors say where.
fn fits(document: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let schema = resolve(document, schema);
    if let Some(choices) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        let errors: Vec<_> = choices.iter().filter_map(|one| fits(document, one, value, place).err()).collect();
        return if errors.len() < choices.len() { Ok(()) } else { Err(errors.join(" | ")) };
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        return parts.iter().try_for_each(|part| fits(document, part, value, place));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return if words.contains(value) { Ok(()) } else { Err(format!("{place}: {value} isn't one of {words:?}")) };
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => return Err(format!("{place}: a schema without a type: {schema}")),
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.contains(&is) {
        return Err(format!("{place}: {value} isn't {types:?}"));
    }
    if let Value::Array(items) = value {
        return items.iter().try_for_each(|item| fits(document, &schema["items"], item, &format!("{place}[]")));
    }
    let Value::Object(fields) = value else { return Ok(()) };
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(missing) = required.iter().filter_map(Value::as_str).find(|name| !fields.contains_key(*name)) {
        return Err(format!("{place}: {missing} is missing"));
    }
    for (name, value) in fields {
        let Some(schema) = schema["properties"].get(name) else {
            return Err(format!("{place}: {name} isn't in the document"));
        };
        fits(document, schema, value, &format!("{place}.{name}"))?;
    }
    Ok(())
}

#[test]
fn the_routes_the_table_and_the_document_are_the_same() {
    let document = document();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{document}");
    let paths = document["paths"].as_object().expect("paths");
    let said: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = ["get", "put", "post", "delete", "patch", "options", "head"];
            let methods = methods.into_iter().filter(|method| item.get(method).is_some());
            methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        })
        .collect();
    let routed: BTreeSet<_> = api::routes().map(|(method, path)| (method.to_string(), path.to_owned())).collect();
    let table = TABLE.iter().filter(|(_, path, _)| api::is_api(path));
    let listed: BTreeSet<_> = table.map(|(method, path, _)| (method.to_string(), (*path).to_owned())).collect();
    assert_eq!(said, routed);
    assert_eq!(listed, routed);
    for (method, path, access) in TABLE {
        assert_eq!(
            matches!(access, Access::Bearer(_)),
            api::is_api(path) && !path.ends_with("openapi.json"),
            "{method} {path}"
        );
    }
}

#[test]
fn the_document_is_whole() {
    let document = document();
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    assert!(references.len() > 10, "{document}");
    for reference in references {
        resolve(&document, &json!({ "$ref": reference }));
    }
    let mut names = BTreeSet::new();
    for (method, path) in api::routes() {
        let operation = &document["paths"][path][method.as_str().to_lowercase()];
        let name = operation["operationId"].as_str().expect("a name");
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{path}");
        assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{path}: {operation}");
        let is_open = find(&method, path) == Entry::Found(Access::Always);
        let needs = if is_open { json!([{}]) } else { json!([{ "token": [] }]) };
        assert_eq!(operation["security"], needs, "{path}");
        if !is_open {
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"];
            assert_eq!(problem["$ref"], "#/components/schemas/Problem", "{path}");
        }
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let has_id = parameters.iter().any(|parameter| parameter["name"] == "id" && parameter["in"] == "path");
        assert_eq!(has_id, path.contains("{id}"), "{path}");
        for parameter in &parameters {
            assert!(parameter["schema"].is_object(), "{path}: {parameter}");
        }
    }
    assert_eq!(document["components"]["securitySchemes"]["token"], json!({ "type": "http", "scheme": "bearer" }));
    // No answer has a field for a secret; bodies that are sent may.
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        let text = schema.to_string();
        assert!(name.starts_with("New") || !text.contains("secret") && !text.contains("password"), "{name}: {text}");
    }
}

/// What the document says of an answer.
fn check(document: &Value, method: &Method, path: &str, got: &Got) {
    let responses = &document["paths"][path][method.as_str().to_lowercase()]["responses"];
    let response = responses.get(got.status.as_str()).unwrap_or(&responses["default"]);
    let kind = got.header("content-type");
    if got.text.is_empty() {
        assert!(response.get("content").is_none(), "{path}: {response}");
        return;
    }
    let schema = &response["content"][kind]["schema"];
    assert!(schema.is_object(), "{method} {path}: the document says nothing of {} {kind}", got.status);
    fits(document, schema, &got.json, "answer")
        .unwrap_or_else(|error| panic!("{method} {path}: {error}: {}", got.text));
}

#[tokio::test]
async fn answers_are_what_the_document_says() {
    let document = document();
    let house = House::scripted().await;
    let registry = "/api/v1/registries/{id}";
    let s3 = json!({ "kind": "s3", "region": "r", "bucket": "b", "access_key": "a", "secret_key": "s" });
    let asked: [(Method, &str, &str, Option<Value>); 12] = [
        (Method::GET, "/api/v1/registries", "", None),
        (Method::POST, "/api/v1/registries", "", Some(json!({ "kind": "managed", "name": "x" }))),
        (Method::POST, "/api/v1/registries", "", Some(json!({ "kind": "managed", "name": "x", "storage": s3 }))),
        (Method::POST, "/api/v1/registries", "", Some(json!({ "kind": "managed" }))),
        (Method::GET, registry, "", None),
        (Method::DELETE, registry, "?name=Ours", None),
        (Method::DELETE, registry, "?name=busy", None),
        (Method::GET, "/api/v1/registries/{id}/status", "?fresh=true", None),
        (Method::GET, "/api/v1/registries/{id}/logs", "", None),
        (Method::GET, "/api/v1/registries/{id}/logs", "?tail=x", None),
        (Method::POST, "/api/v1/registries/{id}/restart", "", None),
        (Method::GET, "/api/v1/jobs/{id}", "", None),
    ];
    let mut job = String::new();
    for (method, path, query, body) in asked {
        if let Some(body) = body.as_ref().filter(|body| body.get("name").is_some()) {
            let schema = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"];
            fits(&document, schema, body, "body").unwrap_or_else(|error| panic!("{error}"));
        }
        let id = if path.contains("jobs") { job.clone() } else { engine::id().to_string() };
        let got = house.program.ask(&method, &format!("{}{query}", path.replace("{id}", &id)), body).await;
        check(&document, &method, path, &got);
        if let Some(to) = got.headers.get("location").and_then(|to| to.to_str().ok()) {
            job = to.rsplit('/').next().expect("an id").to_owned();
        }
    }
    check(&document, &Method::GET, registry, &house.stranger().get("/api/v1/registries/reg_0123456789ab").await);
}
