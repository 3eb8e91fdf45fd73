//! Runs rust-protobuf's generator, with its own parser.

include!("../schemas.rs");

fn main() -> Outcome {
    timed(|schemas, files, out| {
        protobuf_codegen::Codegen::new().pure().inputs(files).includes([schemas]).out_dir(out).run()?;
        Ok(())
    })
}
