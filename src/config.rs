//! Settings from a file, the environment and flags. Wrong settings stop the start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
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
    /// Database, key, logs and build folders; mode 0700.
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
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
}

impl Config {
    /// Where job logs are.
    pub fn logs_dir(&self) -> PathBuf {
        self.data_dir.join("logs")
    }

    /// Where builds work; emptied at start.
    pub fn builds_dir(&self) -> PathBuf {
        self.data_dir.join("builds")
    }
}
