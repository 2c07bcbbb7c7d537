//! What settings win, and what stops the start.

use super::*;

fn resolve(flags: &[(&str, &str)], env: &[(&str, &str)], file: &str) -> Result<Config, ConfigError> {
    let find = |pairs: &[(&str, &str)], name: &str| {
        pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    };
    Config::resolve(|key| find(flags, key), |name| find(env, name), &file.parse().expect("TOML"))
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_defaults() {
    let file = "listen = '127.0.0.1:1'\nlog-format = 'json'\nlocal-repositories = ['/srv/a', '/srv/b']";
    let env = [("SLIPWAY_LISTEN", "127.0.0.1:2"), ("SLIPWAY_DATA_DIR", "/srv/data"), ("DOCKER_HOST", "tcp://d:1")];
    let config = resolve(&[("listen", "127.0.0.1:3")], &env, file).expect("valid");
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.master_key_file, Path::new("/srv/data/master.key"));
    assert_eq!(config.local_repositories, [Path::new("/srv/a"), Path::new("/srv/b")]);
    assert_eq!(config.docker_host, "tcp://d:1");
    assert_eq!(resolve(&[], &env, file).expect("valid").listen.port(), 2);
    assert_eq!(resolve(&[], &[], file).expect("valid").listen.port(), 1);
    let config = resolve(&[], &[], "").expect("valid");
    assert_eq!(
        (config.listen.to_string().as_str(), config.docker_host.as_str()),
        (DEFAULT_LISTEN, DEFAULT_DOCKER_HOST)
    );
    assert!(config.data_dir.is_absolute());
    assert_eq!(config.builds_need, Needs::default());
    let small = resolve(&[("builds-need", "500 MB"), ("builds-need-percent", "3%")], &[], "").expect("valid");
    assert_eq!(small.builds_need, Needs { bytes: 500_000_000, percent: 3 });
}

#[test]
fn a_wrong_setting_names_its_place_and_its_rule() {
    for (flags, env, file, says) in [
        (&[("listen", "7400")][..], &[][..], "", "--listen"),
        (&[], &[("SLIPWAY_PUBLIC_URL", "https://a.example/path")], "", "SLIPWAY_PUBLIC_URL"),
        (&[], &[("SLIPWAY_PUBLIC_URL", "ftp://a.example")], "", "https://slipway.example.com"),
        (&[], &[("SLIPWAY_REGISTRY_IMAGE", "not an image")], "", "docker.io/library/registry:2.8.3"),
        (&[], &[], "lisen = 'x'", "unknown key \"lisen\""),
        (&[], &[], "listen = 7400", "key listen of the configuration file"),
        (&[], &[("SLIPWAY_TRUSTED_PROXIES", "10.0.0.1, proxy")], "", "proxy isn't an IP address"),
        (&[("local-repositories", "here")], &[], "", "here isn't an absolute path"),
        (&[("log-format", "xml")], &[], "", "text or json"),
        (&[("builds-need", "2 potatoes")], &[], "", "500MB or 2GiB"),
        (&[("builds-need-percent", "80")], &[], "", "0 to 50"),
        (&[("proxy-image", "Slipway!")], &[], "", "--proxy-image"),
        (&[("docker-host", "/var/run/docker.sock")], &[], "", "unix:///var/run/docker.sock"),
    ] {
        let error = resolve(flags, env, file).expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn the_help_names_every_setting_three_times() {
    let text = table();
    for setting in SETTINGS {
        assert!(text.contains(&format!("--{}", setting.key)));
        assert!(text.contains(&table::env_name(setting.key)));
        assert!(text.contains(setting.meaning) && text.contains(setting.default));
    }
    let rows = resolve(&[], &[], "").expect("valid").rows();
    assert_eq!(rows.len(), SETTINGS.len());
}
