//! Clients in other languages, which are fetched from their registries to the target
//! directory, and run by our drivers.
//!
//! Invariant: nothing is fetched twice, and a client that is not available is left out with
//! the reason.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::exchange::{BUCKET, KEY, VALUE_LEN};

/// The measured versions: the latest ones, all of them years old.
const PACKAGE_JSON: &str = r#"{
  "private": true,
  "dependencies": { "basho-riak-client": "2.4.0", "no-riak": "1.6.11" }
}
"#;
const PYTHON_PACKAGE: &str = "riak==2.7.0";

/// The command of a client in another language.
#[derive(Clone, Debug)]
pub(crate) struct Foreign {
    program: PathBuf,
    driver: PathBuf,
    node_path: PathBuf,
}

impl Foreign {
    pub(crate) fn command(&self, forces_nodelay: bool) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(&self.driver).env("NODE_PATH", &self.node_path).env("NODE_NO_WARNINGS", "1");
        command.env("BUCKET", BUCKET).env("KEY", KEY).env("VALUE_LEN", VALUE_LEN.to_string());
        if forces_nodelay {
            command.arg("--nodelay");
        }
        command
    }
}

/// Returns the command of a client from npm.
pub(crate) fn node(package: &str) -> Result<Foreign, String> {
    let place = scratch()?.join("npm");
    let modules = place.join("node_modules");
    if !modules.join(package).is_dir() {
        fs::create_dir_all(&place).map_err(|error| error.to_string())?;
        fs::write(place.join("package.json"), PACKAGE_JSON).map_err(|error| error.to_string())?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&place);
        run(npm, "npm install")?;
    }
    Ok(Foreign { program: "node".into(), driver: driver(&format!("{package}.js")), node_path: modules })
}

/// Returns the command of the client from `PyPI`.
pub(crate) fn python() -> Result<Foreign, String> {
    let place = scratch()?.join("python");
    let python = place.join("bin/python");
    if !place.join("installed").is_file() {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(&place);
        run(venv, "python3 -m venv")?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYTHON_PACKAGE]);
        run(pip, "pip install")?;
        fs::write(place.join("installed"), PYTHON_PACKAGE).map_err(|error| error.to_string())?;
    }
    Ok(Foreign { program: python, driver: driver("riak_pypi.py"), node_path: PathBuf::new() })
}

fn driver(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers").join(name)
}

/// Returns the directory for foreign packages, which is next to this program.
fn scratch() -> Result<PathBuf, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(this.parent().ok_or("this program lies nowhere")?.join("foreign-clients"))
}

fn run(mut command: Command, name: &str) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("cannot run {name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
    Err(format!("{name} failed: {last}"))
}
