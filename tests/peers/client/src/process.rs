//! [`Process`]: a server or a client, running apart and talked to by lines.
//!
//! Invariant: it ends when this is dropped, and nothing it is asked is waited
//! for longer than [`PATIENCE`].

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::order::{Order, Report};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// Starts `command`. What it prints on standard error goes where ours does.
    pub(crate) fn start(mut command: Command) -> Result<Self, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().map_err(|error| format!("cannot run {program}: {error}"))?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let (send, lines) = mpsc::channel();
        // A pipe cannot be read with a timeout. It ends with the child.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// Starts this program again, as something else.
    pub(crate) fn of_this(arguments: &[&str]) -> Result<Self, String> {
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(this);
        command.args(arguments);
        Self::start(command)
    }

    /// Starts one of our servers.
    pub(crate) fn server(name: &str, argument: Option<SocketAddr>) -> Result<(Self, SocketAddr), String> {
        let argument = argument.map(|address| address.to_string());
        let arguments: Vec<&str> = ["serve", name].into_iter().chain(argument.as_deref()).collect();
        let server = Self::of_this(&arguments)?;
        let line = server.line()?;
        let address = line.parse().map_err(|_| format!("{name} announces `{line}`"))?;
        Ok((server, address))
    }

    /// The next line that it prints.
    pub(crate) fn line(&self) -> Result<String, String> {
        self.lines.recv_timeout(PATIENCE).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("it said nothing for {} s", PATIENCE.as_secs()),
            RecvTimeoutError::Disconnected => "it ended".to_owned(),
        })
    }

    /// Gives a client an order.
    pub(crate) fn ask(&mut self, order: Order) -> Result<Report, String> {
        let input = self.child.stdin.as_mut().ok_or("no standard input")?;
        writeln!(input, "{order}").and_then(|()| input.flush()).map_err(|error| error.to_string())?;
        self.line()?.parse()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
