//! Arguments, exit codes, and what is printed where.

mod catalogue;
mod check;
mod examples;
mod map;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Judges who owns which state: Terraform, Ansible, Packer and the commands around them, read together.
#[derive(Parser)]
#[command(name = "stateward", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Analyse the project that contains a path and report findings
    Check(check::Args),
    /// Draw the ownership map: which tool owns which machine, volume and data, and what becomes of the data
    Map(map::Args),
    /// Explain a rule: what, why, the doctrine, examples, the remedy
    Explain(catalogue::ExplainArgs),
    /// List the rules
    Rules(catalogue::RulesArgs),
    /// Run the examples of rule files
    Test(examples::Args),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Nothing was judged: wrong usage, configuration or rule file, or a path that cannot be read.
pub(crate) const USAGE: u8 = 2;

/// Runs the program with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Command::Check(args) => check::run(&args),
        Command::Map(args) => map::run(&args),
        Command::Explain(args) => catalogue::explain(&args),
        Command::Rules(args) => catalogue::rules(&args),
        Command::Test(args) => examples::run(&args),
        Command::Completions { shell } => {
            let mut command = <Cli as clap::CommandFactory>::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "stateward", &mut script);
            written(std::io::Write::write_all(&mut std::io::stdout(), &script), 0)
        }
    }
}

/// Turns what a writer said into an exit code; a reader that has gone away is no error.
fn written(result: std::io::Result<()>, code: u8) -> ExitCode {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("stateward: cannot write the report: {error}");
            ExitCode::from(USAGE)
        }
        _ => ExitCode::from(code),
    }
}
