//! [`Process`]: a server or a client in a separate process, which communicates in lines.
//!
//! Invariant: the process ends when this is dropped, and no answer is awaited longer than
//! [`TIMEOUT`].

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::order::{Order, Report};

/// The maximum time to wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// Starts `command`. Its standard error is inherited.
    pub(crate) fn start(mut command: Command) -> Result<Self, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().map_err(|error| format!("cannot run {program}: {error}"))?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let (send, lines) = mpsc::channel();
        // Pipes have no read timeout, so a thread reads this one. It ends with the child.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// Starts this program again with other arguments.
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

    /// Returns the next line that the process prints.
    pub(crate) fn line(&self) -> Result<String, String> {
        self.lines.recv_timeout(TIMEOUT).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("it said nothing for {} s", TIMEOUT.as_secs()),
            RecvTimeoutError::Disconnected => "it ended".to_owned(),
        })
    }

    /// Sends an order to a client, and returns its report.
    pub(crate) fn ask(&mut self, order: Order) -> Result<Report, String> {
        let input = self.child.stdin.as_mut().ok_or("no standard input")?;
        writeln!(input, "{order}").and_then(|()| input.flush()).map_err(|error| error.to_string())?;
        self.line()?.parse()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
