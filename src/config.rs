//! Settings from a file, the environment and flags. Wrong settings stop the start.
//!
//! One table ([`SETTINGS`]) says what there is: the flags, the environment's names, the file's keys, the help and the
//! reading all come from it. Flags beat the environment, which beats the file, which beats the defaults.

mod table;
#[cfg(test)]
mod tests;

pub use table::{SETTINGS, Setting, table};

use app::model::disk::Needs;
use app::model::image_ref::{ImageRef, Malformed};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The settings in force.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the web interface listens.
    pub listen: SocketAddr,
    /// Database, key, logs and build folders; mode 0700. Absolute.
    pub data_dir: PathBuf,
    /// The address people use, when a reverse proxy stands in front: `https://slipway.example.com`.
    pub public_url: Option<url::Url>,
    /// `unix:///var/run/docker.sock` and the like.
    pub docker_host: String,
    /// The master key; by default `master.key` in the data folder.
    pub master_key_file: PathBuf,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Folders below which local repositories may be built; none by default.
    pub local_repositories: Vec<PathBuf>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// What new registries of Slipway's own run, unless another image is asked for.
    pub registry_image: ImageRef,
    /// An image with Slipway that every node can pull: the proxy of managed registries, where a Swarm needs one.
    pub proxy_image: Option<ImageRef>,
    /// How much has to be free on the disks that a build writes to.
    pub builds_need: Needs,
}

/// A setting that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("The configuration file {path} can't be read: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file isn't TOML.
    #[error("The configuration file {path} isn't valid TOML: {source}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The file has a key that isn't in the table.
    #[error("The configuration file has the unknown key {key:?}. Known keys: {known}.")]
    UnknownKey {
        /// Which key.
        key: String,
        /// Those that exist.
        known: String,
    },
    /// A value breaks the setting's rule.
    #[error("{place} is {value:?}: {rule}")]
    Value {
        /// Where it was set.
        place: String,
        /// What was set.
        value: String,
        /// What it should be.
        rule: String,
    },
}

impl Config {
    /// Reads all settings. `flag` answers with what was given on the command line, by [`Setting::key`].
    pub fn load(flag: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let file = match flag("config").or_else(|| env("SLIPWAY_CONFIG")) {
            Some(path) => read_file(Path::new(&path))?,
            None if Path::new(DEFAULT_FILE).exists() => read_file(Path::new(DEFAULT_FILE))?,
            None => toml::Table::new(),
        };
        Self::resolve(flag, env, &file)
    }

    /// Puts the settings together; pure but for the working directory.
    pub fn resolve(
        flag: impl Fn(&str) -> Option<String>,
        env: impl Fn(&str) -> Option<String>,
        file: &toml::Table,
    ) -> Result<Self, ConfigError> {
        if let Some(key) = file.keys().find(|key| SETTINGS.iter().all(|setting| setting.key != *key)) {
            let known = SETTINGS.map(|setting| setting.key).join(", ");
            return Err(ConfigError::UnknownKey { key: key.clone(), known });
        }
        let find = |key: &'static str| -> Result<Option<Given>, ConfigError> {
            if let Some(value) = flag(key) {
                return Ok(Some(Given { value, place: format!("The flag --{key}") }));
            }
            let name = table::env_name(key);
            if let Some(value) = env(&name) {
                return Ok(Some(Given { value, place: format!("The environment variable {name}") }));
            }
            file.get(key).map(|value| Given::from_file(key, value)).transpose()
        };
        let or_default = |key: &'static str, default: &str| -> Result<Given, ConfigError> {
            Ok(find(key)?
                .unwrap_or_else(|| Given { value: default.to_owned(), place: format!("The default of {key}") }))
        };

        let data_dir = or_default("data-dir", DEFAULT_DATA_DIR)?.absolute_path()?;
        let docker_default = env("DOCKER_HOST").unwrap_or_else(|| DEFAULT_DOCKER_HOST.to_owned());
        Ok(Self {
            listen: or_default("listen", DEFAULT_LISTEN)?
                .parse("write an address and a port, such as 127.0.0.1:7400 or [::1]:7400.")?,
            public_url: find("public-url")?.map(Given::public_url).transpose()?,
            docker_host: or_default("docker-host", &docker_default)?.docker_host()?,
            master_key_file: match find("master-key-file")? {
                Some(given) => given.absolute_path()?,
                None => data_dir.join("master.key"),
            },
            log_format: or_default("log-format", "text")?.log_format()?,
            local_repositories: match find("local-repositories")? {
                Some(given) => given.folders()?,
                None => Vec::new(),
            },
            trusted_proxies: match find("trusted-proxies")? {
                Some(given) => given.addresses()?,
                None => Vec::new(),
            },
            registry_image: or_default("registry-image", DEFAULT_REGISTRY_IMAGE)?
                .parse("write an image's name, such as docker.io/library/registry:2.8.3.")?,
            proxy_image: find("proxy-image")?.map(Given::image).transpose()?,
            builds_need: Needs {
                bytes: or_default("builds-need", DEFAULT_BUILDS_NEED)?.size()?,
                percent: or_default("builds-need-percent", DEFAULT_BUILDS_NEED_PERCENT)?.percent()?,
            },
            data_dir,
        })
    }

    /// The settings in force as name and value, for people; none of them is a secret.
    pub fn rows(&self) -> Vec<(String, String)> {
        let list = |items: Vec<String>| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
        let values = [
            self.listen.to_string(),
            self.data_dir.display().to_string(),
            self.public_url.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
            self.docker_host.clone(),
            self.master_key_file.display().to_string(),
            match self.log_format {
                LogFormat::Text => "text".to_owned(),
                LogFormat::Json => "json".to_owned(),
            },
            list(self.local_repositories.iter().map(|path| path.display().to_string()).collect()),
            list(self.trusted_proxies.iter().map(ToString::to_string).collect()),
            self.registry_image.to_string(),
            self.proxy_image.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
            app::model::text::bytes(self.builds_need.bytes),
            format!("{} %", self.builds_need.percent),
        ];
        SETTINGS.iter().map(|setting| setting.key.to_owned()).zip(values).collect()
    }

    /// Where job logs are.
    pub fn logs_dir(&self) -> PathBuf {
        self.data_dir.join("logs")
    }

    /// Where builds work; emptied at start.
    pub fn builds_dir(&self) -> PathBuf {
        self.data_dir.join("builds")
    }
}

/// Read when it lies in the working directory and no other file is named.
pub const DEFAULT_FILE: &str = "slipway.toml";
const DEFAULT_LISTEN: &str = "127.0.0.1:7400";
const DEFAULT_DATA_DIR: &str = "./slipway-data";
const DEFAULT_DOCKER_HOST: &str = "unix:///var/run/docker.sock";
/// The newest of the series that managed registries are tested with.
pub const DEFAULT_REGISTRY_IMAGE: &str = "docker.io/library/registry:2.8.3";

/// What builds need on a large disk…
pub const DEFAULT_BUILDS_NEED: &str = "2GiB";
/// …and on a small one.
pub const DEFAULT_BUILDS_NEED_PERCENT: &str = "5";

fn read_file(path: &Path) -> Result<toml::Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    text.parse().map_err(|source| ConfigError::Syntax { path: path.to_owned(), source: Box::new(source) })
}

/// A value with the place it was set at, so that the message can name it.
struct Given {
    value: String,
    place: String,
}

impl Given {
    /// Lists in the file become one text, as flags and environment have them.
    fn from_file(key: &str, value: &toml::Value) -> Result<Self, ConfigError> {
        let place = format!("The key {key} of the configuration file");
        let rule = "write text in quotes, or a list of such.";
        let wrong = || ConfigError::Value { place: place.clone(), value: value.to_string(), rule: rule.to_owned() };
        let text = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Array(items) => {
                let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
                items.ok_or_else(wrong)?.join(",")
            }
            _ => return Err(wrong()),
        };
        Ok(Self { value: text, place })
    }

    fn wrong(&self, rule: impl Into<String>) -> ConfigError {
        ConfigError::Value { place: self.place.clone(), value: self.value.clone(), rule: rule.into() }
    }

    fn parse<T: std::str::FromStr>(self, rule: &str) -> Result<T, ConfigError> {
        self.value.parse().map_err(|_| self.wrong(rule))
    }

    fn absolute_path(self) -> Result<PathBuf, ConfigError> {
        std::path::absolute(&self.value).map_err(|error| self.wrong(format!("this isn't a path ({error}).")))
    }

    fn items(&self) -> impl Iterator<Item = &str> {
        self.value.split(',').map(str::trim).filter(|item| !item.is_empty())
    }

    fn folders(self) -> Result<Vec<PathBuf>, ConfigError> {
        let folders: Vec<PathBuf> = self.items().map(PathBuf::from).collect();
        match folders.iter().find(|folder| !folder.is_absolute()) {
            Some(folder) => Err(self.wrong(format!("{} isn't an absolute path.", folder.display()))),
            None => Ok(folders),
        }
    }

    fn addresses(self) -> Result<Vec<IpAddr>, ConfigError> {
        self.items().map(|item| item.parse().map_err(|_| self.wrong(format!("{item} isn't an IP address.")))).collect()
    }

    fn log_format(self) -> Result<LogFormat, ConfigError> {
        match self.value.as_str() {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err(self.wrong("write text or json.")),
        }
    }

    /// `500MB`, `2GiB`, or plain bytes.
    fn size(self) -> Result<u64, ConfigError> {
        let rule = "write a size such as 500MB or 2GiB; 0 for none.";
        let text = self.value.trim();
        let (figure, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            _ => return Err(self.wrong(rule)),
        };
        let size = figure.parse::<u64>().ok().and_then(|figure| figure.checked_mul(factor));
        size.ok_or_else(|| self.wrong(rule))
    }

    fn percent(self) -> Result<u64, ConfigError> {
        let found = self.value.trim().trim_end_matches('%').trim().parse().ok().filter(|percent| *percent <= 50);
        found.ok_or_else(|| self.wrong("write a number from 0 to 50."))
    }

    fn image(self) -> Result<ImageRef, ConfigError> {
        self.value.parse().map_err(|Malformed(why)| {
            self.wrong(format!("write an image such as registry.example.com/slipway:1. {why}"))
        })
    }

    fn docker_host(self) -> Result<String, ConfigError> {
        let known = ["unix://", "tcp://", "http://", "https://"];
        if known.iter().any(|scheme| self.value.starts_with(scheme)) {
            Ok(self.value)
        } else {
            Err(self.wrong("write an address such as unix:///var/run/docker.sock."))
        }
    }

    fn public_url(self) -> Result<url::Url, ConfigError> {
        let rule = "write the address people open, such as https://slipway.example.com, without a path.";
        let url: url::Url = self.value.parse().map_err(|_| self.wrong(rule))?;
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if is_plain { Ok(url) } else { Err(self.wrong(rule)) }
    }
}
