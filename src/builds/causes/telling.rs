//! Which line of a log tells why the build failed: the failing command's own words rather than BuildKit's, and of those
//! the error rather than what comes after it (a stack, a summary, advice).

use crate::jobs::without_colours;
use app::model::job::LogLine;

/// How far back from a step's end its error may be.
const BACK: usize = 400;

/// What the failing step wrote, and which line tells.
#[derive(Debug, Default, PartialEq)]
pub(in crate::builds) struct Told {
    /// The line's number.
    pub(in crate::builds) line: Option<u64>,
    /// The failing command's own output.
    pub(in crate::builds) output: Vec<String>,
}

/// From the last lines of a log, in order.
pub(in crate::builds) fn told(lines: &[LogLine]) -> Told {
    let Some(error) = vertex_error(lines) else {
        return Told { line: plain_error(lines), output: Vec::new() };
    };
    let of_step = |line: &&LogLine| {
        line.step == error.step
            && !line.text.starts_with("=> ")
            && line.n != error.n
            && !line.text.starts_with("ERROR: process ")
    };
    let own: Vec<(u64, String)> =
        lines.iter().filter(of_step).map(|line| (line.n, without_colours(&line.text))).collect();
    let telling = if error.text.contains("did not complete successfully") { error_among(&own) } else { None };
    Told { line: Some(telling.unwrap_or(error.n)), output: own.into_iter().map(|(_, text)| text).collect() }
}

/// The step that failed by itself, and not because another one had.
fn vertex_error(lines: &[LogLine]) -> Option<&LogLine> {
    lines.iter().rev().find(|line| {
        line.step.contains('/') && line.text.starts_with("ERROR: ") && !line.text.contains("context canceled")
    })
}

/// Without a step of BuildKit's: its final error, or git's.
fn plain_error(lines: &[LogLine]) -> Option<u64> {
    let last = lines.last()?;
    let of_step: Vec<(u64, String)> =
        lines.iter().filter(|line| line.step == last.step).map(|line| (line.n, without_colours(&line.text))).collect();
    let begins = |text: &str, words: &[&str]| words.iter().any(|word| text.starts_with(word));
    let last_with = |words: &[&str]| of_step.iter().rev().find(|(_, text)| begins(text, words)).map(|(n, _)| *n);
    // What the other side said comes before git's own summary of it.
    last_with(&["ERROR: "])
        .or_else(|| {
            let vague = "fatal: Could not read from remote repository";
            let told = ["fatal: ", "error: ", "ssh: ", "git@", "Host key ", "remote: "];
            of_step.iter().rev().find(|(_, text)| begins(text, &told) && !text.starts_with(vague)).map(|(n, _)| *n)
        })
        .or_else(|| last_with(&["fatal: "]))
}

/// How much a line tells.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Tells {
    Nothing,
    Something,
    ThatItFailed,
    Why,
}

fn error_among(lines: &[(u64, String)]) -> Option<u64> {
    let lines = &lines[lines.len().saturating_sub(BACK)..];
    let mut best: Option<(Tells, u64)> = None;
    for (n, text) in lines.iter().rev() {
        let tells = weigh(text);
        if tells > Tells::Nothing && best.is_none_or(|(so_far, _)| tells > so_far) {
            best = Some((tells, *n));
        }
    }
    best.map(|(_, n)| n)
}

/// Lines that only look like errors: advice, places, stacks.
const NOISE: &[&str] = &[
    "a complete log of this run can be found in",
    "/.npm/_logs/",
    "npm notice",
    "info visit https://",
    "for more information about this error",
    "to see the full stack trace",
    "re-run maven",
    "[help 1]",
    "for more information about the errors",
    "run with --stacktrace",
    "run with --info",
    "note: this is an issue with the package",
    "note: this error originates from a subprocess",
    "hint: see above",
    "[notice]",
    "0 errors",
    "errors: 0",
];
/// That something failed, but not what.
const SUMMARIES: &[&str] = &[
    "make: *** ",
    "]: *** ",
    "aborting due to",
    "could not compile `",
    "collect2: error: ld returned",
    "ninja: build stopped",
    "elifecycle",
    "lifecycle script",
    "error command failed with exit code",
    "failed with exit code",
    "exit status ",
    "command failed",
    "build failed",
    "build failure",
    "failed to execute goal",
    "subprocess-exited-with-error",
    "npm err! errno",
    "npm error errno",
    "npm err! code e",
    "npm error code e",
    "npm err! syscall",
    "npm error syscall",
    "npm err! path",
    "npm error path",
    "compilation error",
    "sub-process /usr/bin/dpkg returned an error code",
    "errors were encountered while processing",
    "fatal error: build failed",
    "execution failed for task",
    "what went wrong:",
    "returned a non-zero code",
];
/// What went wrong.
const WHY: &[&str] = &[
    "error:",
    "error[",
    "error ",
    "[error]",
    "e: ",
    "fatal:",
    "fatal error",
    "panic:",
    "panicked at",
    "exception",
    "not found",
    "no such file",
    "permission denied",
    "cannot find",
    "can't open",
    "cannot open",
    "cannot allocate",
    "cannot resolve",
    "undefined:",
    "undefined reference",
    "unable to",
    "failed to",
    "could not",
    "enoent",
    "eacces",
    "eresolve",
    "killed",
    "segmentation fault",
    "assertion",
    "out of memory",
    "bad address",
    "can't connect",
    "connection refused",
    "no space left",
    "unsupported",
    "invalid",
    "syntaxerror",
];

fn weigh(text: &str) -> Tells {
    let text = text.trim();
    let lower = text.to_lowercase();
    let is_stack = lower.starts_with("at ") && (lower.contains(':') || lower.contains('('));
    if !text.chars().any(char::is_alphanumeric) || is_stack || NOISE.iter().any(|noise| lower.contains(noise)) {
        return Tells::Nothing;
    }
    if ["warning", "warn ", "npm warn", "info ", "note:", "debug", "hint:", "help:", "= note", "= help", "--> ", "+ "]
        .iter()
        .any(|word| lower.starts_with(word))
    {
        return Tells::Something;
    }
    if SUMMARIES.iter().any(|summary| lower.contains(summary)) {
        return Tells::ThatItFailed;
    }
    let begins_with_e = text.starts_with("E: ");
    if begins_with_e || has_place(text) || WHY.iter().any(|word| *word != "e: " && lower.contains(word)) {
        return Tells::Why;
    }
    Tells::Something
}

/// `main.go:5:2: …`.
fn has_place(text: &str) -> bool {
    let mut parts = text.splitn(4, ':');
    let (Some(file), Some(line), Some(column), Some(_)) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    file.contains('.') && !file.contains(' ') && is_number(line) && is_number(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(of: &[(&str, &str)]) -> Vec<LogLine> {
        let line = |(index, (step, text)): (usize, &(&str, &str))| LogLine {
            n: index as u64 + 1,
            at: 0,
            step: (*step).into(),
            text: (*text).into(),
        };
        of.iter().enumerate().map(line).collect()
    }

    /// The text that tells when a command wrote these lines.
    fn telling(output: &str) -> String {
        let mut of = vec![("build/aa", "=> [2/2] RUN make")];
        of.extend(output.lines().map(|line| ("build/aa", line)));
        of.push(("build/aa", "ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 1"));
        of.push(("build/bb", "ERROR: context canceled"));
        of.push(("build", "Dockerfile:3"));
        of.push((
            "build",
            "ERROR: failed to solve: process \"/bin/sh -c make\" did not complete successfully: exit code: 1",
        ));
        let lines = lines(&of);
        let line = told(&lines).line.expect("a line");
        lines[usize::try_from(line).expect("small") - 1].text.trim().to_owned()
    }

    #[test]
    fn the_commands_own_error_tells() {
        for (output, expected) in [
            ("hello\nError: cannot find module teapot\nunterminated", "Error: cannot find module teapot"),
            ("hello\nonly words", "only words"),
            (
                "\u{1b}[31m\u{1b}[1merror[E0425]\u{1b}[0m: cannot find value `x`\n  --> src/main.rs:2:5\n   |\nerror: aborting due to 1 previous error\n\nFor more information about this error, try `rustc --explain E0425`.\nerror: could not compile `x` (bin \"x\") due to 1 previous error",
                "\u{1b}[31m\u{1b}[1merror[E0425]\u{1b}[0m: cannot find value `x`",
            ),
            (
                "cc -c main.c\nmain.c:3:5: error: 'x' undeclared (first use in this function)\n    3 |     x = 1;\n      |     ^\nmake: *** [Makefile:2: main.o] Error 1",
                "main.c:3:5: error: 'x' undeclared (first use in this function)",
            ),
            ("# example.org/x\n./main.go:5:2: undefined: foo", "./main.go:5:2: undefined: foo"),
            (
                "node:internal/modules/cjs/loader:1228\n  throw err;\n  ^\n\nError: Cannot find module 'teapot'\nRequire stack:\n- /app/index.js\n    at Module._resolveFilename (node:internal/modules/cjs/loader:1225:15)\n    at Module._load (node:internal/modules/cjs/loader:1051:27) {\n  code: 'MODULE_NOT_FOUND',\n  requireStack: [ '/app/index.js' ]\n}\n\nNode.js v20.11.0",
                "Error: Cannot find module 'teapot'",
            ),
            (
                "npm ERR! code ENOENT\nnpm ERR! syscall open\nnpm ERR! path /app/package.json\nnpm ERR! errno -2\nnpm ERR! enoent Could not read package.json: Error: ENOENT: no such file or directory, open '/app/package.json'\n\nnpm ERR! A complete log of this run can be found in: /root/.npm/_logs/2026-01-01T00_00_00_000Z-debug-0.log",
                "npm ERR! enoent Could not read package.json: Error: ENOENT: no such file or directory, open '/app/package.json'",
            ),
            (
                "Traceback (most recent call last):\n  File \"/app/a.py\", line 1, in <module>\n    import teapot\nModuleNotFoundError: No module named 'teapot'",
                "ModuleNotFoundError: No module named 'teapot'",
            ),
            ("Reading package lists...\nE: Unable to locate package nosuch", "E: Unable to locate package nosuch"),
            ("/bin/sh: nosuchprogram: not found", "/bin/sh: nosuchprogram: not found"),
            (
                "src/a.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.\nnpm ERR! Lifecycle script `build` failed with error:\nnpm ERR! Error: command failed",
                "src/a.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.",
            ),
            (
                "[INFO] BUILD FAILURE\n[ERROR] /app/X.java:[3,5] cannot find symbol\n[ERROR] Failed to execute goal org.apache.maven: Compilation failure\n[ERROR] -> [Help 1]\n[ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.",
                "[ERROR] /app/X.java:[3,5] cannot find symbol",
            ),
            (
                "thread 'main' panicked at src/main.rs:2:5:\nboom\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
                "thread 'main' panicked at src/main.rs:2:5:",
            ),
            ("wget: bad address 'deb.invalid'", "wget: bad address 'deb.invalid'"),
            ("Compiling\nKilled", "Killed"),
            ("", "ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 1"),
        ] {
            assert_eq!(telling(output), expected, "{output}");
        }
    }

    #[test]
    fn without_a_command_buildkits_or_gits_error_tells() {
        let of = |of: &[(&str, &str)]| told(&lines(of)).line;
        assert_eq!(
            of(&[
                ("build", "Dockerfile:3"),
                ("build", ">>> RUNN x"),
                ("build", "ERROR: failed to solve: dockerfile parse error")
            ]),
            Some(3)
        );
        assert_eq!(
            of(&[
                ("build/aa", "=> [2/2] COPY missing.txt /x"),
                ("build/aa", "ERROR: failed to calculate checksum of ref x: \"/missing.txt\": not found"),
                ("build/bb", "ERROR: context canceled: context canceled"),
                ("build", "ERROR: failed to solve: failed to compute cache key"),
            ]),
            Some(2)
        );
        assert_eq!(
            of(&[
                ("resolve", "git@x.test: Permission denied (publickey)."),
                ("resolve", "fatal: Could not read from remote repository."),
                ("resolve", ""),
                ("resolve", "Please make sure you have the correct access rights"),
            ]),
            Some(1)
        );
        assert_eq!(of(&[("checkout", "fatal: couldn't find remote ref x")]), Some(1));
        assert_eq!(of(&[("prepare", "Pushing to x")]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_push_that_is_tried_again_is_told_by_its_end() {
        let of = [
            ("build/ee", "=> exporting to image"),
            ("build/ee", "error: unexpected status from POST request: 503 Service Unavailable"),
            ("build/ee", "retrying in 2s"),
            ("build/ee", "ERROR: failed to push x/a:1: unexpected status from POST request: 503 Service Unavailable"),
        ];
        assert_eq!(told(&lines(&of)).line, Some(4));
    }

    #[test]
    fn lines_that_come_after_the_error_count_too() {
        let of = [
            ("build/aa", "=> [2/2] RUN make"),
            ("build/aa", "ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 7"),
            ("build/aa", "Error: late"),
        ];
        let told = told(&lines(&of));
        assert_eq!((told.line, told.output), (Some(3), vec!["Error: late".to_owned()]));
    }
}
