//! S3-compatible stores: proves that a bucket can be used, by a real write, read and delete.
//!
//! A registry needs five rights of its keys: to list the bucket, to write, read and delete objects, and to upload in parts.
//! Each is tried, on an object of our own that is gone afterwards. What goes wrong sits on the field that causes it.

mod answer;
mod fault;
mod store;

use answer::Answer;
use app::error::FieldError;
use app::model::registry::S3Place;
use app::model::secret::Secret;
use fault::Step;
use std::time::Duration;
use store::Store;

/// The longest that all requests together may take.
const ALL: Duration = Duration::from_secs(40);

/// How to sign in at a store.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The key's id.
    pub access: Secret,
    /// The key.
    pub secret: Secret,
}

/// Lists, writes, reads, uploads in parts and deletes below the place's prefix. What goes wrong sits on the field that causes
/// it (`s3_endpoint`, `s3_bucket`, `s3_region`, `s3_access_key`, `s3_secret_key`, `s3_prefix`, `s3_path_style`, `s3_encrypt`).
pub async fn probe(place: &S3Place, keys: &Keys) -> Result<(), FieldError> {
    match tokio::time::timeout(ALL, try_out(place, keys)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(FieldError::new(
            "s3_endpoint",
            format!("{} is too slow: the test took longer than {} s. Try again.", store::host(place), ALL.as_secs()),
        )),
    }
}

async fn try_out(place: &S3Place, keys: &Keys) -> Result<(), FieldError> {
    let store = Store::new(place, keys, place.path_style)?;
    if let Err(error) = list(&store).await {
        return Err(match other_style_works(place, keys, &error).await {
            true => wrong_style(place),
            false => error,
        });
    }
    let key = store.new_key();
    let outcome = use_object(&store, &key).await;
    // Whatever happened: nothing stays behind.
    let deleted = match store.delete(&key).await {
        Ok(answer) => answer.expect(&store, Step::Delete),
        Err(error) => Err(error),
    };
    outcome.and(deleted)
}

async fn list(store: &Store<'_>) -> Result<(), FieldError> {
    let answer = store.list().await?;
    answer.expect(store, Step::List)?;
    if answer.is_list() { Ok(()) } else { Err(fault::not_s3(store, &answer)) }
}

async fn use_object(store: &Store<'_>, key: &str) -> Result<(), FieldError> {
    let content = crate::clock::random_token();
    put(store, key, content.as_bytes()).await?;
    let read = store.get(key).await?;
    read.expect(store, Step::Get)?;
    if read.body != content.as_bytes() {
        let text = "What was written came back as something else. Check that this is an S3-compatible store.";
        return Err(FieldError::new("s3_endpoint", text));
    }
    let begun = store.begin_parts(key).await?;
    begun.expect(store, Step::BeginParts)?;
    let Some(upload) = begun.upload_id() else { return Err(fault::not_s3(store, &begun)) };
    store.abort_parts(key, &upload).await?.expect(store, Step::AbortParts)
}

/// A store that can't encrypt takes the same object without.
async fn put(store: &Store<'_>, key: &str, content: &[u8]) -> Result<(), FieldError> {
    let answer = store.put(key, content, store.place.encrypt).await?;
    let Err(error) = answer.expect(store, Step::Put) else { return Ok(()) };
    if !store.place.encrypt || store.put(key, content, false).await?.expect(store, Step::Put).is_err() {
        return Err(error);
    }
    let words = answer.words(store);
    let said = if words.is_empty() { String::new() } else { format!(" It says: {words}.") };
    Err(FieldError::new("s3_encrypt", format!("The store doesn't encrypt on request (AES256).{said} Untick this.")))
}

/// Whether the bucket answers when it is named in the other part of the address, which some faults look like.
async fn other_style_works(place: &S3Place, keys: &Keys, error: &FieldError) -> bool {
    if !matches!(error.field.as_str(), "s3_endpoint" | "s3_bucket" | "s3_path_style" | "s3_secret_key" | "s3_region") {
        return false;
    }
    let Ok(other) = Store::new(place, keys, !place.path_style) else { return false };
    // A name that doesn't exist can't be asked, and every other fault says enough by itself.
    tokio::time::timeout(Duration::from_secs(10), list(&other)).await.is_ok_and(|outcome| outcome.is_ok())
}

fn wrong_style(place: &S3Place) -> FieldError {
    let text = if place.path_style {
        "The bucket answers when its name is part of the host. Untick this."
    } else {
        "The bucket answers when its name is part of the path. Tick this."
    };
    FieldError::new("s3_path_style", text)
}
