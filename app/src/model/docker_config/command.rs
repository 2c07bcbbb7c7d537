//! `docker login -u ada -p … ghcr.io`, as it stands in instructions. Words are split as a shell splits them; whatever a
//! shell would do beyond that is refused with a hint.

use super::super::image_ref::Malformed;
use super::{Entry, login};

/// Programs whose `login` means the same.
const PROGRAMS: [&str; 5] = ["docker", "podman", "nerdctl", "buildah", "skopeo"];

pub(super) fn parse(text: &str) -> Result<Vec<Entry>, Malformed> {
    let text = text.replace("\r\n", "\n").replace("\\\n", " ");
    let commands = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("# "));
    commands.map(command).collect()
}

fn command(line: &str) -> Result<Entry, Malformed> {
    let line = line.strip_prefix("$ ").or_else(|| line.strip_prefix("> ")).unwrap_or(line);
    let mut words = words(line)?.into_iter().peekable();
    if words.peek().is_some_and(|word| word == "sudo") {
        words.next();
    }
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    if !PROGRAMS.contains(&program.as_str()) || words.next().as_deref() != Some("login") {
        return Err(Malformed("Paste a line that begins with “docker login”, or the content of a config.json.".into()));
    }
    let (mut username, mut password, mut server) = (None, None, None);
    while let Some(word) = words.next() {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => match word.get(..2) {
                // `-pSECRET`
                Some(short @ ("-u" | "-p")) if word.len() > 2 => (short.to_owned(), Some(word[2..].to_owned())),
                _ => (word.clone(), None),
            },
        };
        match name.as_str() {
            "-u" | "--username" => username = Some(value_of(&name, inline, &mut words)?),
            "-p" | "--password" => password = Some(value_of(&name, inline, &mut words)?),
            "--password-stdin" => return Err(stdin()),
            "--tls-verify" | "--authfile" | "--cert-dir" | "--compat-auth-file" => {
                if inline.is_none() && name != "--tls-verify" {
                    words.next();
                }
            }
            "-D" | "--debug" | "-v" | "--verbose" => {}
            option if option.starts_with('-') => {
                return Err(Malformed(format!("The option {} isn't known here; use the form.", super::shown(option))));
            }
            _ if server.is_none() => server = Some(word),
            _ => return Err(Malformed("There is more than one registry in one command.".into())),
        }
    }
    let Some(username) = username else {
        return Err(Malformed("The user name is missing (-u). Add it, or use the form.".into()));
    };
    let Some(password) = password else {
        return Err(Malformed(
            "The password is missing (-p): the command would ask for it. Add it, or use the form.".into(),
        ));
    };
    // Without a registry the command means Docker Hub.
    Ok(login(server.as_deref().unwrap_or("docker.io"), &username, password))
}

fn value_of(
    option: &str,
    inline: Option<String>,
    words: &mut impl Iterator<Item = String>,
) -> Result<String, Malformed> {
    inline.or_else(|| words.next()).ok_or_else(|| Malformed(format!("Behind {option} its value is missing.")))
}

fn stdin() -> Malformed {
    Malformed(
        "The password comes from another command (--password-stdin), and Slipway runs nothing. Write it as -p 'password' \
         instead, or use the form."
            .into(),
    )
}

/// Splits as a POSIX shell does; refuses what a shell would execute, replace or redirect.
fn words(line: &str) -> Result<Vec<String>, Malformed> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('"'), '\\') => {
                // In double quotes a backslash stands for itself before all but these.
                let next = chars.next().ok_or_else(open_quote)?;
                let word = word.get_or_insert_default();
                if !matches!(next, '"' | '\\' | '$' | '`') {
                    word.push('\\');
                }
                word.push(next);
            }
            (None | Some('"'), '$' | '`') => {
                return Err(Malformed(
                    "A shell would replace a variable or run a command here ($ or `), and Slipway runs nothing. Put the \
                     value itself there, in 'single quotes'."
                        .into(),
                ));
            }
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().push(chars.next().ok_or_else(open_quote)?),
            (None, '|' | '<') => return Err(stdin()),
            (None, ';' | '&' | '>' | '(' | ')') => {
                return Err(Malformed(
                    "Paste the docker login command alone. If the password holds characters like ; or &, put it into \
                     'single quotes'."
                        .into(),
                ));
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(open_quote());
    }
    words.extend(word);
    Ok(words)
}

fn open_quote() -> Malformed {
    Malformed("A quote isn't closed.".into())
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, parse};

    fn one(text: &str) -> (String, String, String) {
        let mut entries = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        match (entries.pop(), entries.is_empty()) {
            (Some(Entry::Login(found)), true) => {
                (found.url.to_string(), found.username, found.password.expose("the test compares it").to_owned())
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn commands_are_read_as_a_shell_splits_them() {
        for (text, url, username, password) in [
            ("docker login -u ada -p s3cret ghcr.io", "https://ghcr.io", "ada", "s3cret"),
            (
                "$ sudo docker login --username=ada --password=a=b https://r.example.com/v2/",
                "https://r.example.com",
                "ada",
                "a=b",
            ),
            (
                "docker login r.example.com:5000 -u 'robot$ci+x' -p 'it'\\''s; a|b'",
                "https://r.example.com:5000",
                "robot$ci+x",
                "it's; a|b",
            ),
            ("docker login \\\n  -u \"ada\" \\\r\n  -p \"a \\\"b\\\" \\c\"", "https://docker.io", "ada", "a \"b\" \\c"),
            ("podman login -uada -pdckr_pat_x docker.io", "https://docker.io", "ada", "dckr_pat_x"),
            ("/usr/bin/docker login 127.0.0.1:5000 -u a -p b", "http://127.0.0.1:5000", "a", "b"),
        ] {
            assert_eq!(one(text), (url.to_owned(), username.to_owned(), password.to_owned()), "{text}");
        }
        let two = parse("docker login -u a -p b a.example\n\n# then\ndocker login -u c -p d e.example").expect("two");
        assert_eq!(two.len(), 2);
    }

    #[test]
    fn what_a_shell_would_run_is_refused_with_a_hint() {
        for (text, hint) in [
            ("echo hunter2 | docker login ghcr.io -u ada --password-stdin", "runs nothing"),
            ("docker login ghcr.io -u ada --password-stdin < token", "runs nothing"),
            ("docker login ghcr.io -u ada --password-stdin", "runs nothing"),
            ("docker login -u ada -p $TOKEN ghcr.io", "single quotes"),
            ("docker login -u ada -p \"$(cat hunter2)\" ghcr.io", "single quotes"),
            ("docker login -u ada -p `cat hunter2` ghcr.io", "single quotes"),
            ("docker login -u ada -p hunter2 ghcr.io; rm -rf /", "alone"),
            ("docker login -u ada -p hunter2 ghcr.io && docker push x", "alone"),
            ("docker login -u ada -p 'hunter2 ghcr.io", "quote"),
            ("docker login ghcr.io -u ada", "password is missing"),
            ("docker login ghcr.io -p hunter2", "user name is missing"),
            ("docker login -u ada -p", "value is missing"),
            ("docker login a.example b.example -u x -p y", "more than one"),
            ("docker login --config /etc -u x -p y", "isn't known"),
            ("curl -u ada:hunter2 https://ghcr.io", "docker login"),
            ("docker run hunter2", "docker login"),
            ("hello", "docker login"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.0.contains(hint), "{text}: {error}");
            assert!(!error.0.contains("hunter2"), "{text}: {error}");
        }
    }
}
