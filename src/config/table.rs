//! What can be set.

/// One setting, as flag, environment variable and file key.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The flag without its dashes, and the key in the file.
    pub key: &'static str,
    /// What kind of value it takes.
    pub value: &'static str,
    /// What holds when nothing is said.
    pub default: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

/// All settings, in the order people read them.
pub const SETTINGS: [Setting; 12] = [
    Setting {
        key: "listen",
        value: "ADDRESS:PORT",
        default: super::DEFAULT_LISTEN,
        meaning: "Where the web interface listens.",
    },
    Setting {
        key: "data-dir",
        value: "FOLDER",
        default: super::DEFAULT_DATA_DIR,
        meaning: "Database, key, logs and build folders.",
    },
    Setting {
        key: "public-url",
        value: "URL",
        default: "none",
        meaning: "The address people open when a reverse proxy stands in front, such as https://slipway.example.com.",
    },
    Setting {
        key: "docker-host",
        value: "URL",
        default: "DOCKER_HOST, or unix:///var/run/docker.sock",
        meaning: "The Docker engine to work with.",
    },
    Setting {
        key: "master-key-file",
        value: "FILE",
        default: "master.key in the data folder",
        meaning: "The key that seals secrets; created at the first start. Back it up apart from the database.",
    },
    Setting { key: "log-format", value: "text|json", default: "text", meaning: "How log lines look." },
    Setting {
        key: "local-repositories",
        value: "FOLDERS",
        default: "none",
        meaning: "Folders below which git repositories on this machine may be built; a list, or separated by commas.",
    },
    Setting {
        key: "trusted-proxies",
        value: "ADDRESSES",
        default: "none",
        meaning: "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; a list, or separated by commas.",
    },
    Setting {
        key: "registry-image",
        value: "IMAGE",
        default: super::DEFAULT_REGISTRY_IMAGE,
        meaning: "What new managed registries run when the form names no other image; 2.8 and 3.x fit.",
    },
    Setting {
        key: "proxy-image",
        value: "IMAGE",
        default: "none",
        meaning: "An image with Slipway that every node can pull. Managed registries are passed on by it where a Swarm of \
                  several nodes has no IP_VS.",
    },
    Setting {
        key: "builds-need",
        value: "SIZE",
        default: super::DEFAULT_BUILDS_NEED,
        meaning: "New builds are refused while less than that is free on a disk they write to; 0: never. Deployments and \
                  roll-backs always go on.",
    },
    Setting {
        key: "builds-need-percent",
        value: "NUMBER",
        default: super::DEFAULT_BUILDS_NEED_PERCENT,
        meaning: "On small disks that share of the whole is enough for builds, when it is less than builds-need.",
    },
];

/// `data-dir` → `SLIPWAY_DATA_DIR`.
pub fn env_name(key: &str) -> String {
    format!("SLIPWAY_{}", key.to_ascii_uppercase().replace('-', "_"))
}

/// The table as text, for `slipway serve --help`.
pub fn table() -> String {
    let mut text = String::from(
        "Settings. Flags beat the environment, which beats the file (--config FILE, SLIPWAY_CONFIG,\n\
         or slipway.toml in the working directory), which beats the default.\n",
    );
    for setting in SETTINGS {
        text.push_str(&format!(
            "\n  --{} <{}>\n      {}\n      environment {} · file key {} · default {}\n",
            setting.key,
            setting.value,
            setting.meaning,
            env_name(setting.key),
            setting.key,
            setting.default,
        ));
    }
    text
}
