//! The rules of a bucket's fields.
//!
//! Names: S3 user guide, "Bucket naming rules"; other stores take the same or fewer. What is accepted here is fit for a URL, a
//! registry's configuration and a page without any quoting.

use super::{ManagedForm, S3Fields, S3Place};
use crate::error::FieldError;
use crate::model::image_ref::RegistryHost;
use crate::model::secret::Secret;
use crate::model::text::is_hidden;

/// The region of stores that have none.
const NO_REGION: &str = "us-east-1";
/// The longest key that is taken; Amazon's have 20 and 40 characters.
const LONGEST_KEY: usize = 256;
/// Beginnings and ends of names that Amazon keeps for itself.
const RESERVED: ([&str; 3], [&str; 4]) =
    (["xn--", "sthree-", "amzn-s3-demo-"], ["-s3alias", "--ol-s3", ".mrap", "--x-s3"]);

/// Whether a text may be a region's name; other stores than Amazon's call theirs anything.
pub fn is_region(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

impl ManagedForm {
    /// The bucket's fields; what is wrong with them goes to `errors`.
    pub(super) fn s3(&self, is_new: bool, errors: &mut Vec<FieldError>) -> S3Fields {
        let mut checked = |field: &str, outcome: Result<String, String>| {
            outcome.unwrap_or_else(|message| {
                errors.push(FieldError::new(field, message));
                String::new()
            })
        };
        let internal = self.s3_internal.is_some();
        let endpoint = checked("s3_endpoint", endpoint(&self.s3_endpoint, internal));
        let region = checked("s3_region", region(&self.s3_region, self.s3_endpoint.trim().is_empty()));
        let bucket = checked("s3_bucket", bucket(&self.s3_bucket));
        let prefix = checked("s3_prefix", prefix(&self.s3_prefix));
        let path_style = self.s3_path_style.is_some();
        if bucket.contains('.') && !path_style && !endpoint.starts_with("http://") {
            let text = "A bucket with a dot in its name needs this: no certificate covers its host name.";
            checked("s3_path_style", Err(text.into()));
        }
        let typed = |key: &Secret| !key.expose("only whether it is there is looked at").trim().is_empty();
        let is_half = typed(&self.s3_access_key) && !typed(&self.s3_secret_key);
        let access_key = checked("s3_access_key", key(&self.s3_access_key, is_new, "Fill this in."));
        let needs =
            if is_half && !is_new { "Type the secret that belongs to this access key." } else { "Fill this in." };
        let secret_key = checked("s3_secret_key", key(&self.s3_secret_key, is_new || is_half, needs));
        S3Fields {
            place: S3Place {
                region,
                endpoint: Some(endpoint).filter(|url| !url.is_empty()),
                bucket,
                prefix,
                path_style,
                encrypt: self.s3_encrypt.is_some(),
                internal,
            },
            access_key: Secret::new(access_key),
            secret_key: Secret::new(secret_key),
        }
    }
}

/// Scheme, host and port. Empty: Amazon's own.
fn endpoint(text: &str, internal: bool) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("Write the whole address, such as https://s3.example.com.".into());
    };
    let (scheme, rest) = (scheme.to_ascii_lowercase(), rest.trim_end_matches('/').to_ascii_lowercase());
    if rest.contains('@') {
        return Err("Leave user name and password out of the address; keys have fields of their own.".into());
    }
    if rest.contains(['/', '?', '#', '\\']) {
        return Err("Give the address without a path: bucket and prefix have fields of their own.".into());
    }
    rest.parse::<RegistryHost>().map_err(|error| error.0)?;
    match scheme.as_str() {
        "https" => {}
        "http" if internal => {}
        "http" => {
            return Err(
                "Everybody on the way can read plain HTTP. Use https://, or tick that the store is on an internal \
                        network."
                    .into(),
            );
        }
        _ => return Err("The address starts with https:// (or http:// on an internal network).".into()),
    }
    Ok(format!("{scheme}://{rest}"))
}

fn region(text: &str, is_amazon: bool) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() && is_amazon {
        return Err("Fill this in, such as eu-central-1.".into());
    }
    if text.is_empty() {
        return Ok(NO_REGION.into());
    }
    // It becomes part of a host name there.
    let fits = !is_amazon || text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if is_region(text) && fits {
        Ok(text.to_owned())
    } else {
        Err("A region has letters, digits and dashes, such as eu-central-1.".into())
    }
}

fn bucket(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("Fill this in.".into());
    }
    if !(3..=63).contains(&text.len()) {
        return Err("A bucket's name has 3 to 63 characters.".into());
    }
    if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-')) {
        return Err("A bucket's name has lower-case letters, digits, dots and dashes.".into());
    }
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || !text.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err("A bucket's name begins and ends with a letter or digit.".into());
    }
    if text.contains("..") || text.contains(".-") || text.contains("-.") {
        return Err("A bucket's name has no dot beside another dot or a dash.".into());
    }
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("A bucket's name doesn't look like an IP address.".into());
    }
    if RESERVED.0.iter().any(|begin| text.starts_with(begin)) || RESERVED.1.iter().any(|end| text.ends_with(end)) {
        return Err("Names like this stand for something else than a bucket. Give the bucket's own name.".into());
    }
    Ok(text.to_owned())
}

fn prefix(text: &str) -> Result<String, String> {
    let text = text.trim().trim_matches('/');
    if text.is_empty() {
        return Ok(String::new());
    }
    if text.len() > 200 {
        return Err("Use at most 200 characters.".into());
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/')) {
        return Err("A prefix has letters, digits, dots, dashes, underscores and slashes.".into());
    }
    if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("A prefix has no empty part, and no part that is . or ..".into());
    }
    Ok(text.to_owned())
}

fn key(key: &Secret, is_needed: bool, needs: &str) -> Result<String, String> {
    let text = key.expose("its form is checked").trim();
    if text.is_empty() && is_needed {
        return Err(needs.into());
    }
    if text.len() > LONGEST_KEY {
        return Err(format!("A key has at most {LONGEST_KEY} characters."));
    }
    if text.chars().any(|c| is_hidden(c) || c.is_whitespace() || !c.is_ascii()) {
        return Err("A key has no spaces and no letters beyond ASCII. Copy it again.".into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::StorageFields;
    use super::*;

    fn form() -> ManagedForm {
        ManagedForm {
            name: "Ours".into(),
            storage: "s3".into(),
            s3_region: "eu-central-1".into(),
            s3_bucket: "my-images".into(),
            s3_access_key: Secret::new("AKIA0123".into()),
            s3_secret_key: Secret::new("se/cr+et=".into()),
            ..ManagedForm::default()
        }
    }

    type Case = (fn(&mut ManagedForm), &'static str);

    fn broken(form: ManagedForm, is_new: bool) -> Vec<String> {
        form.validated(is_new).err().into_iter().flatten().map(|error| error.field).collect()
    }

    #[test]
    fn good_fields_become_a_place() {
        let mut form = form();
        form.s3_endpoint = " HTTPS://S3.Example.com:9000/ ".into();
        form.s3_region = String::new();
        form.s3_prefix = "/registry/one/".into();
        form.s3_access_key = Secret::new(" AKIA0123\n".into());
        form.s3_path_style = Some("on".into());
        let fields = form.validated(true).expect("good");
        let StorageFields::S3(s3) = fields.storage else { panic!("a bucket") };
        let place = S3Place {
            region: "us-east-1".into(),
            endpoint: Some("https://s3.example.com:9000".into()),
            bucket: "my-images".into(),
            prefix: "registry/one".into(),
            path_style: true,
            encrypt: false,
            internal: false,
        };
        assert_eq!(s3.place, place);
        assert_eq!(s3.access_key.expose("compared"), "AKIA0123");
    }

    #[test]
    fn each_broken_rule_sits_on_its_field() {
        let cases: &[Case] = &[
            (|_| {}, ""),
            (|form| form.s3_region.clear(), "s3_region"),
            (|form| form.s3_region = "EU_1".into(), "s3_region"),
            (|form| form.s3_region = "eu.evil.example/".into(), "s3_region"),
            (|form| form.s3_endpoint = "s3.example.com".into(), "s3_endpoint"),
            (|form| form.s3_endpoint = "http://10.0.0.1:9000".into(), "s3_endpoint"),
            (|form| form.s3_endpoint = "ftp://s3.example.com".into(), "s3_endpoint"),
            (|form| form.s3_endpoint = "https://u:p@s3.example.com".into(), "s3_endpoint"),
            (|form| form.s3_endpoint = "https://s3.example.com/bucket".into(), "s3_endpoint"),
            (|form| form.s3_endpoint = "https://s3.example.com?x".into(), "s3_endpoint"),
            (|form| form.s3_endpoint = "https://".into(), "s3_endpoint"),
            (|form| form.s3_endpoint = "https://a b".into(), "s3_endpoint"),
            (|form| form.s3_bucket.clear(), "s3_bucket"),
            (|form| form.s3_bucket = "ab".into(), "s3_bucket"),
            (|form| form.s3_bucket = "a".repeat(64), "s3_bucket"),
            (|form| form.s3_bucket = "Images".into(), "s3_bucket"),
            (|form| form.s3_bucket = "my_images".into(), "s3_bucket"),
            (|form| form.s3_bucket = "-images".into(), "s3_bucket"),
            (|form| form.s3_bucket = "my..images".into(), "s3_bucket"),
            (|form| form.s3_bucket = "192.168.0.1".into(), "s3_bucket"),
            (|form| form.s3_bucket = "xn--images".into(), "s3_bucket"),
            (|form| form.s3_bucket = "images-s3alias".into(), "s3_bucket"),
            (|form| form.s3_bucket = "a/b/c".into(), "s3_bucket"),
            (|form| form.s3_bucket = "my.images".into(), "s3_path_style"),
            (|form| form.s3_prefix = "a//b".into(), "s3_prefix"),
            (|form| form.s3_prefix = "../b".into(), "s3_prefix"),
            (|form| form.s3_prefix = "a b".into(), "s3_prefix"),
            (|form| form.s3_prefix = "a".repeat(201), "s3_prefix"),
            (|form| form.s3_access_key = Secret::default(), "s3_access_key"),
            (|form| form.s3_access_key = Secret::new("a b".into()), "s3_access_key"),
            (|form| form.s3_secret_key = Secret::default(), "s3_secret_key"),
            (|form| form.s3_secret_key = Secret::new("é".into()), "s3_secret_key"),
            (|form| form.s3_secret_key = Secret::new("a".repeat(257)), "s3_secret_key"),
            (|form| form.storage = "tape".into(), "storage"),
        ];
        for (index, (change, field)) in cases.iter().enumerate() {
            let mut form = form();
            change(&mut form);
            let expected: Vec<&str> = Some(*field).filter(|field| !field.is_empty()).into_iter().collect();
            assert_eq!(broken(form, true), expected, "case {index}");
        }
    }

    #[test]
    fn plain_http_is_for_internal_networks_and_dots_need_path_style() {
        let mut form = form();
        (form.s3_endpoint, form.s3_internal) = ("http://10.0.0.1:9000".into(), Some("on".into()));
        assert_eq!(broken(form.clone(), true), Vec::<String>::new());
        (form.s3_endpoint, form.s3_bucket) = (String::new(), "my.images".into());
        assert_eq!(broken(form.clone(), true), ["s3_path_style"]);
        form.s3_path_style = Some("on".into());
        assert_eq!(broken(form, true), Vec::<String>::new());
    }

    #[test]
    fn an_edit_keeps_keys_that_arent_typed_but_no_half_of_a_pair() {
        let with = |access: &str, secret: &str| {
            let (access, secret) = (Secret::new(access.into()), Secret::new(secret.into()));
            broken(ManagedForm { s3_access_key: access, s3_secret_key: secret, ..form() }, false)
        };
        assert_eq!(with("", ""), Vec::<String>::new());
        assert_eq!(with("AKIA", "x"), Vec::<String>::new());
        assert_eq!(with("", "x"), Vec::<String>::new());
        assert_eq!(with("AKIA", " "), ["s3_secret_key"]);
    }
}
