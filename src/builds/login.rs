//! The Docker configuration of one build: the logins that it needs, and nothing else.
//!
//! `{"auths":{"<registry>":{"auth":"<base64(user:password)>"}}}`: no helper programs, no other hosts. Passwords go
//! through this file alone, never through arguments or the environment.

use super::folder::private;
use crate::oci::Login;
use app::model::image_ref::RegistryHost;
use app::model::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The file while it is needed; removed when dropped.
pub(super) struct LoginFile {
    path: PathBuf,
}

impl LoginFile {
    /// Writes it into its own folder.
    pub(super) fn write(folder: &Path, logins: &[(RegistryHost, Login)]) -> io::Result<Self> {
        private(folder)?;
        let path = folder.join("config.json");
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let written = Self { path };
        file.write_all(config(logins).expose("docker reads it from its file").as_bytes())?;
        Ok(written)
    }
}

impl Drop for LoginFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "a login file can't be removed; its folder will be");
        }
    }
}

fn config(logins: &[(RegistryHost, Login)]) -> Secret {
    let auths: serde_json::Map<_, _> = logins
        .iter()
        .map(|(host, login)| {
            let password = login.password.expose("docker's login file needs it");
            let pair = Secret::new(format!("{}:{password}", login.username));
            let auth = STANDARD.encode(pair.expose("docker's login file needs it"));
            (host.config_key().to_owned(), serde_json::json!({ "auth": auth }))
        })
        .collect();
    let config = if auths.is_empty() { serde_json::json!({}) } else { serde_json::json!({ "auths": auths }) };
    Secret::new(config.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_file_has_exactly_these_logins_is_private_and_goes_away() {
        let data = tempfile::tempdir().expect("a folder");
        let folder = data.path().join(".docker");
        // The characters that the URL alphabet would encode differently.
        let login = Login { username: "ada".into(), password: Secret::new("abc~~~?>>>ü\"".into()) };
        for (host, key) in [("127.0.0.1:5000", "127.0.0.1:5000"), ("docker.io", "https://index.docker.io/v1/")] {
            let logins = [(host.parse().expect("a host"), login.clone())];
            let file = LoginFile::write(&folder, &logins).expect("written");
            let path = folder.join("config.json");
            let text = std::fs::read_to_string(&path).expect("the file");
            let auth = STANDARD.encode("ada:abc~~~?>>>ü\"");
            assert_eq!(text, format!(r#"{{"auths":{{"{key}":{{"auth":"{auth}"}}}}}}"#));
            assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
            assert_eq!(std::fs::metadata(&folder).expect("the folder").permissions().mode() & 0o777, 0o700);
            drop(file);
            assert!(!path.exists());
        }
        let logins = ["b.example", "a.example"].map(|host| (host.parse().expect("a host"), login.clone()));
        let text = config(&logins).expose("the test compares it").to_owned();
        let auth = STANDARD.encode("ada:abc~~~?>>>ü\"");
        let both = format!(r#"{{"auths":{{"a.example":{{"auth":"{auth}"}},"b.example":{{"auth":"{auth}"}}}}}}"#);
        assert_eq!(text, both);
        assert_eq!(config(&[]).expose("the test compares it"), "{}");
    }
}
