//! A value that must never be seen again.

/// A secret that is wiped when dropped, prints as `…`, and refuses to be serialised.
///
/// It can be *read* from a form, which is how it comes in; the way out is [`Secret::expose`] alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the value over.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value. `reason` says at the call what it is needed for; it is for the reader of the code.
    pub fn expose(&self, _reason: &'static str) -> &str {
        &self.0
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length in bytes, for limits.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("a secret is never serialised"))
    }
}

#[cfg(feature = "ssr")]
impl Drop for Secret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_neither_prints_nor_serialises() {
        let secret = Secret::new("hunter2".into());
        assert_eq!(format!("{secret:?}"), "…");
        assert!(serde_json::to_string(&secret).is_err());
        assert_eq!(secret.expose("the test compares it"), "hunter2");
    }
}
