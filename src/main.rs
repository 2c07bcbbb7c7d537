//! The command line: `serve`, `admin create`, `admin reset-password`, `token create`, `token list`, `token revoke`, `proxy`,
//! which Slipway starts on the nodes of a Swarm, and `supervise`, which it calls itself.

use app::api::tokens::TokensApi as _;
use app::error::AppError;
use app::model::secret::Secret;
use app::model::token::{Scope, TokenForm, TokenState};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use slipway::accounts::Accounts;
use slipway::clock::Clock;
use slipway::config::{Config, LogFormat, SETTINGS, table};
use slipway::proxy::{self, Target};
use slipway::start;
use slipway::storage::Db;
use slipway::tokens::Tokens;
use std::error::Error;
use std::io::Read as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    // Files and folders are ours alone, whatever the shell says.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|word| word == "supervise") {
        return slipway::process::supervise(args);
    }
    // Memory holds secrets: no core dumps, no debuggers of other people.
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        eprintln!("Core dumps couldn't be switched off: {error}");
    }
    let matches = command().get_matches();
    let result = match matches.subcommand() {
        Some(("serve", matches)) => serve(matches),
        Some(("admin", matches)) => admin(matches),
        Some(("proxy", matches)) => pass_on(matches),
        Some(("token", matches)) => token(matches),
        _ => Ok(()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> Command {
    let settings = || {
        let file = Arg::new("config").long("config").value_name("FILE").hide(true);
        SETTINGS
            .iter()
            .map(|setting| Arg::new(setting.key).long(setting.key).value_name(setting.value).hide(true))
            .chain([file])
            .collect::<Vec<_>>()
    };
    let account = |name: &'static str, about: &'static str| {
        Command::new(name)
            .about(about)
            .arg(Arg::new("username").long("username").value_name("NAME").required(true).help("The account's name"))
            .arg(
                Arg::new("stdin")
                    .long("stdin")
                    .action(ArgAction::SetTrue)
                    .help("Read the password from standard input instead of asking for it"),
            )
            .args(settings())
            .after_help("Works while the server runs. Takes the settings of `slipway serve`, --data-dir for example.")
    };
    Command::new("slipway")
        .version(env!("CARGO_PKG_VERSION"))
        .about(
            "The registry side of self-hosted Docker: credentials, registries, builds, deployments, instant roll-back",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("serve").about("Run the server").args(settings()).after_help(table()))
        .subcommand(
            Command::new("admin")
                .about("Create accounts and reset passwords from the shell")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommand(account("create", "Create an account"))
                .subcommand(account("reset-password", "Set a new password; ends all sessions of the account")),
        )
        .subcommand(
            Command::new("proxy")
                .about("Pass connections on to a managed registry; Slipway starts it on the nodes that need it")
                .arg(
                    Arg::new("listen")
                        .long("listen")
                        .value_name("ADDRESS:PORT")
                        .required(true)
                        .value_parser(value_parser!(SocketAddr))
                        .help("Where connections come in"),
                )
                .arg(
                    Arg::new("to")
                        .long("to")
                        .value_name("HOST:PORT")
                        .required(true)
                        .value_parser(value_parser!(Target))
                        .help("Where they go; the name is looked up for each"),
                )
                .after_help(
                    "Needs no settings, no data folder and no rights. SIGTERM: what moves may end, 30 s at most.",
                ),
        )
        .subcommand(
            Command::new("token")
                .about("Create, list and revoke API tokens from the shell")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommands(tokens().map(|command| command.args(settings()))),
        )
}

/// `token create`, `token list`, `token revoke`.
fn tokens() -> [Command; 3] {
    let value = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let command = |name: &'static str, about: &'static str| {
        Command::new(name)
            .about(about)
            .arg(value("username", "NAME", "The account's name").required(true))
            .after_help("Works while the server runs. Takes the settings of `slipway serve`, --data-dir for example.")
    };
    [
        command("create", "Create a token and print it: this once, Slipway keeps a hash of it")
            .arg(value("name", "TEXT", "What uses it").required(true))
            .arg(
                Arg::new("read-only")
                    .long("read-only")
                    .action(ArgAction::SetTrue)
                    .help("It may look at everything and change nothing"),
            )
            .arg(value("days", "N", "How many days it is good for; for ever when left out")),
        command("list", "List the tokens of an account"),
        command("revoke", "Revoke a token").arg(value("name", "TEXT", "The token's name").required(true)),
    ]
}

fn config(matches: &ArgMatches) -> Result<Config, Box<dyn Error>> {
    Ok(Config::load(|key| matches.get_one::<String>(key).cloned())?)
}

/// Room for the deepest work there is, many times over; memory is taken only where it is used. Builds without optimisation
/// come near the usual 2 MiB.
const STACK: usize = 8 << 20;

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build()
}

fn serve(matches: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let config = config(matches)?;
    start::start_logging(config.log_format);
    let runtime = runtime()?;
    let served = runtime.block_on(start::serve(config));
    // A blocking call that hangs must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    Ok(served?)
}

fn pass_on(matches: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let (Some(listen), Some(to)) = (matches.get_one::<SocketAddr>("listen"), matches.get_one::<Target>("to")) else {
        return Ok(());
    };
    start::start_logging(LogFormat::Text);
    proxy::raise_file_limit();
    // Names are looked up by blocking calls; when the target is away, few of them are enough.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(16).enable_all().build()?;
    let served: std::io::Result<()> = runtime.block_on(async {
        let stop = CancellationToken::new();
        let told = async {
            start::told_to_stop().await;
            stop.cancel();
            std::future::pending::<()>().await;
        };
        let served = async {
            let listener = tokio::net::TcpListener::bind(listen).await?;
            proxy::serve(listener, to.clone(), proxy::Limits::default(), stop.clone()).await;
            Ok(())
        };
        // Signals are listened to before anybody can connect.
        tokio::select! {
            biased;
            () = told => Ok(()),
            served = served => served,
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    served.map_err(|error| format!("The proxy can't listen on {listen}: {error}").into())
}

fn admin(matches: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(()) };
    let config = config(matches)?;
    start::start_logging(config.log_format);
    let name = matches.get_one::<String>("username").cloned().unwrap_or_default();
    let password = password(matches.get_flag("stdin"))?;
    runtime()?.block_on(async {
        start::private_folder(&config.data_dir)?;
        let db = Db::open(&config.data_dir).await.map_err(start::StartError::from)?;
        let accounts = Accounts::new(db.clone(), Clock::system());
        let done = match verb {
            "create" => accounts.create(&name, &password).await.map(|actor| {
                println!("Created the account {}.", actor.username);
            }),
            _ => accounts.reset_password(&name, &password).await.map(|()| {
                println!("The password of {name} is changed; all its sessions have ended.");
            }),
        };
        db.close().await;
        done.map_err(|error: AppError| error.into())
    })
}

fn token(matches: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(()) };
    let config = config(matches)?;
    start::start_logging(config.log_format);
    runtime()?.block_on(async {
        start::private_folder(&config.data_dir)?;
        let db = Db::open(&config.data_dir).await.map_err(start::StartError::from)?;
        let done = on_tokens(&db, verb, matches).await;
        db.close().await;
        done.map_err(|error: AppError| error.into())
    })
}

async fn on_tokens(db: &Db, verb: &str, matches: &ArgMatches) -> Result<(), AppError> {
    let clock = Clock::system();
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().cloned().unwrap_or_default();
    let actor = Accounts::new(db.clone(), clock.clone()).named(&text("username")).await?;
    let tokens = Tokens::new(db.clone(), clock.clone());
    match verb {
        "create" => {
            let scope = if matches.get_flag("read-only") { Scope::Read } else { Scope::Everything };
            let form = TokenForm { name: text("name"), scope: scope.as_str().to_owned(), days: text("days") };
            let (_, token) = tokens.create(&actor, form).await?;
            // Alone on standard output, for scripts.
            println!("{}", token.expose("who made it sees it once"));
        }
        "list" => {
            for token in tokens.list(&actor).await? {
                let state = match token.state(clock.seconds()) {
                    TokenState::Good => "good",
                    TokenState::Expired => "expired",
                    TokenState::Revoked => "revoked",
                };
                println!("{}\t{}\t{state}\t{}", token.id, token.scope.as_str(), token.name);
            }
        }
        _ => {
            let id = tokens.named(&actor, &text("name")).await?;
            tokens.revoke(&actor, &id).await?;
            println!("The token {} is revoked.", text("name"));
        }
    }
    Ok(())
}

fn password(from_stdin: bool) -> Result<Secret, Box<dyn Error>> {
    if from_stdin {
        let mut text = String::new();
        std::io::stdin().take(4_096).read_to_string(&mut text)?;
        let password = Secret::new(text.trim_end_matches(['\r', '\n']).to_owned());
        drop(Secret::new(text)); // wipes it
        return Ok(password);
    }
    let password = Secret::new(rpassword::prompt_password("Password: ")?);
    let again = Secret::new(rpassword::prompt_password("Again: ")?);
    if password == again { Ok(password) } else { Err("These passwords differ; nothing was changed.".into()) }
}
