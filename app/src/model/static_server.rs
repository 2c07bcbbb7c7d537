//! What serves static sites: an image, the folder it serves from, and its command where it has none of its own.

use super::image_ref::{ImageRef, Malformed};
use super::text;
use serde::{Deserialize, Serialize};

/// Written on one line: `nginx:1.27 /usr/share/nginx/html`, `busybox:1 /www httpd -f -p 8080 -h /www`, or the image alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StaticServer {
    /// The web server.
    pub image: ImageRef,
    /// An absolute path in it.
    pub folder: String,
    /// What is started; empty: what the image starts by itself.
    pub command: Vec<String>,
}

impl StaticServer {
    /// The image alone: busybox has a web server that wants to be started, others are taken to be like nginx.
    fn of(image: ImageRef) -> Self {
        let is_busybox = image.repository.as_str().rsplit('/').next() == Some("busybox");
        let (folder, command): (&str, &[&str]) = if is_busybox {
            ("/www", &["httpd", "-f", "-p", "8080", "-h", "/www"])
        } else {
            ("/usr/share/nginx/html", &[])
        };
        Self { image, folder: folder.into(), command: command.iter().map(ToString::to_string).collect() }
    }
}

impl std::str::FromStr for StaticServer {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = |why: &str| {
            Malformed(format!(
                "{why} Write the image and the folder it serves from, like nginx:1.27 /usr/share/nginx/html."
            ))
        };
        if text.len() > 1_000 || text.chars().any(|c| text::is_hidden(c) && !c.is_ascii_whitespace()) {
            return Err(bad("This is too long or has characters that can't be seen."));
        }
        let mut words = text.split_whitespace();
        let image = words.next().ok_or_else(|| bad("The image is missing."))?;
        let image: ImageRef = image.parse().map_err(|error: Malformed| bad(&error.0))?;
        let Some(folder) = words.next() else { return Ok(Self::of(image)) };
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.');
        if !folder.starts_with('/') || !folder.chars().all(fits) || folder.split('/').any(|part| part == "..") {
            return Err(bad("The folder is an absolute path of letters, digits, '_', '-', '.' and '/'."));
        }
        Ok(Self { image, folder: folder.to_owned(), command: words.map(ToOwned::to_owned).collect() })
    }
}

impl TryFrom<String> for StaticServer {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<StaticServer> for String {
    fn from(server: StaticServer) -> String {
        server.to_string()
    }
}

impl std::fmt::Display for StaticServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.image, self.folder)?;
        self.command.iter().try_for_each(|word| write!(f, " {word}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_written_back() {
        for (text, expected) in [
            ("nginx:1.27 /usr/share/nginx/html", "docker.io/library/nginx:1.27 /usr/share/nginx/html"),
            ("nginx", "docker.io/library/nginx:latest /usr/share/nginx/html"),
            ("acme/busybox:1", "docker.io/acme/busybox:1 /www httpd -f -p 8080 -h /www"),
            (" ghcr.io/a/b   /www  httpd -f ", "ghcr.io/a/b:latest /www httpd -f"),
        ] {
            let read: StaticServer = text.parse().expect("a server");
            assert_eq!(read.to_string(), expected);
            assert_eq!(expected.parse(), Ok(read));
        }
        for text in ["", "nginx www", "nginx /a/../b", "nginx /a$b", "nginx /a\"b", "NGINX!! /www", "nginx /\u{202e}a"]
        {
            assert!(text.parse::<StaticServer>().is_err(), "{text:?}");
        }
    }
}
