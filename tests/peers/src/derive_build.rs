//! The cost of derived messages to their user: the time from an empty target directory, and
//! from a changed message, to a finished build.
//!
//! Invariant: both contenders declare the same fields of the same types, in a package of
//! their own, and are timed in turns; the smallest time counts. CPU time is reported too,
//! since other work on the machine affects it least.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The number of messages. Each nests the one before it, ten levels deep.
const MESSAGES: usize = 100;

/// A contender whose derive is timed.
struct Contender {
    name: &'static str,
    /// Its dependency, in the syntax of a manifest.
    dependency: String,
    /// The source above the messages.
    imports: &'static str,
    /// The derived traits.
    derives: &'static str,
    /// The attribute of a field: its number, and the part that gives the type.
    attribute: fn(u32, &Kind) -> String,
}

/// A kind of field.
struct Kind {
    name: &'static str,
    /// Its Rust type; `Self` stands for the previous message.
    ty: &'static str,
    riak: &'static str,
    prost: &'static str,
}

const FIELDS: [Kind; 10] = [
    Kind { name: "key", ty: "Vec<u8>", riak: "", prost: "bytes = \"vec\", required" },
    Kind { name: "value", ty: "Option<Vec<u8>>", riak: "", prost: "bytes = \"vec\", optional" },
    Kind { name: "label", ty: "Option<String>", riak: "", prost: "string, optional" },
    Kind { name: "count", ty: "Option<u32>", riak: "", prost: "uint32, optional" },
    Kind { name: "delta", ty: "Option<i64>", riak: ", sint64", prost: "sint64, optional" },
    Kind { name: "ratio", ty: "Option<f64>", riak: "", prost: "double, optional" },
    Kind { name: "done", ty: "bool", riak: "", prost: "bool, required" },
    Kind { name: "hashes", ty: "Vec<u64>", riak: ", packed", prost: "uint64, repeated, packed = \"true\"" },
    Kind { name: "first", ty: "Option<Self>", riak: "", prost: "message, optional" },
    Kind { name: "rest", ty: "Vec<Self>", riak: "", prost: "message, repeated" },
];

const BUILDS: [&str; 2] = ["check", "build"];

/// The duration of a build in seconds.
#[derive(Clone, Copy)]
struct Spent {
    wall: f64,
    /// CPU time on all cores; NaN where the system does not report it.
    processors: f64,
}

impl Spent {
    const MAX: Self = Self { wall: f64::MAX, processors: f64::MAX };

    fn min(self, other: Self) -> Self {
        Self { wall: self.wall.min(other.wall), processors: self.processors.min(other.processors) }
    }
}

/// Returns the CPU time of all child processes that this process has waited for, which
/// Linux reports in hundredths of a second.
fn processors() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may contain blanks.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace().collect::<Vec<_>>());
    let field = |index: usize| fields.as_ref()?.get(index)?.parse::<f64>().ok();
    match (field(13), field(14)) {
        (Some(user), Some(system)) => (user + system) / 100.0,
        _ => f64::NAN,
    }
}

/// Times the builds and prints them.
pub(crate) fn print(turns: usize, tsv: bool) -> Result<(), String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runtime = here.join("../../runtime");
    let contenders = [
        Contender {
            name: "riak",
            dependency: format!(
                "riak-runtime = {{ path = {:?}, default-features = false, features = [\"derive\"] }}",
                runtime.display()
            ),
            imports: "use riak_runtime::RiakMessage;",
            derives: "Clone, Debug, Default, PartialEq, RiakMessage",
            attribute: |number, kind| format!("riak(tag = {number}{})", kind.riak),
        },
        Contender {
            name: "prost",
            dependency: "prost = \"0.14\"".to_owned(),
            imports: "",
            // This contender's derive provides Debug and Default itself.
            derives: "Clone, PartialEq, prost::Message",
            attribute: |number, kind| format!("prost({}, tag = \"{number}\")", kind.prost),
        },
    ];
    // For each contender, the times of the first build and of the rebuild, for each kind.
    let mut spent = vec![[[Spent::MAX; 2]; BUILDS.len()]; contenders.len()];
    for turn in 0..turns {
        for (one, best) in contenders.iter().zip(&mut spent) {
            let package = here.join("target/derive-build").join(one.name);
            for (build, [first, again]) in BUILDS.iter().zip(best.iter_mut()) {
                let target = package.join("target");
                if target.exists() {
                    fs::remove_dir_all(&target).map_err(|error| error.to_string())?;
                }
                write(one, &package, 2 * turn)?;
                *first = first.min(cargo(&package, build)?);
                write(one, &package, 2 * turn + 1)?;
                *again = again.min(cargo(&package, build)?);
            }
        }
    }
    if tsv {
        println!("derive\tbuild\tseconds\tprocessor_seconds");
    } else {
        println!(
            "{MESSAGES} derived messages of {} fields (minimum of {turns}): the first build, with all dependencies, \
             and one after a member of one message has been renamed; seconds, and seconds of processors",
            FIELDS.len()
        );
        println!("  {:<10}{:>16}{:>16}{:>16}{:>16}", "", "check", "again", "build", "again");
    }
    for (one, builds) in contenders.iter().zip(&spent) {
        if !tsv {
            print!("  {:<10}", one.name);
        }
        for (build, times) in BUILDS.iter().zip(builds) {
            for (again, Spent { wall, processors }) in ["", "_again"].iter().zip(times) {
                if tsv {
                    println!("{}\t{build}{again}\t{wall:.2}\t{processors:.2}", one.name);
                } else {
                    print!("{wall:>8.2}{processors:>8.2}");
                }
            }
        }
        if !tsv {
            println!();
        }
    }
    Ok(())
}

/// Writes a contender's package. Each `turn` changes the name of one member.
fn write(one: &Contender, package: &Path, turn: usize) -> Result<(), String> {
    let mut text = format!("{}\n", one.imports);
    for message in 0..MESSAGES {
        let _ = write!(text, "\n#[derive({})]\npub struct Message{message} {{\n", one.derives);
        // Every tenth message nests none, which limits the depth.
        for (kind, number) in
            FIELDS.iter().zip(1..).filter(|(kind, _)| message % 10 > 0 || !kind.ty.contains("Self"))
        {
            let ty = kind.ty.replace("Self", &format!("Message{}", message.saturating_sub(1)));
            let changed = message == MESSAGES / 2 && kind.name == "label";
            let name = if changed { format!("label_{turn}") } else { kind.name.to_owned() };
            let _ = writeln!(text, "    #[{}]\n    pub {name}: {ty},", (one.attribute)(number, kind));
        }
        text.push_str("}\n");
    }
    let manifest = format!(
        "[package]\nname = \"derive-{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}\n",
        one.name, one.dependency
    );
    let source = package.join("src");
    fs::create_dir_all(&source)
        .and_then(|()| fs::write(package.join("Cargo.toml"), manifest))
        .and_then(|()| fs::write(source.join("lib.rs"), text))
        .map_err(|error| format!("cannot write {}: {error}", package.display()))
}

/// Runs a build, and returns its cost.
fn cargo(package: &Path, build: &str) -> Result<Spent, String> {
    let program = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    // Dependencies are downloaded before anything is timed.
    let lock = package.join("Cargo.lock");
    if !lock.exists() {
        run(Command::new(&program).arg("fetch").current_dir(package), package)?;
    }
    let mut cargo = Command::new(program);
    cargo.args([build, "--quiet", "--offline"]).current_dir(package);
    cargo.env("CARGO_TARGET_DIR", package.join("target"));
    let (start, before) = (Instant::now(), processors());
    run(&mut cargo, package)?;
    Ok(Spent { wall: start.elapsed().as_secs_f64(), processors: processors() - before })
}

fn run(command: &mut Command, package: &Path) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{} does not build:\n{}", package.display(), String::from_utf8_lossy(&output.stderr)))
}
