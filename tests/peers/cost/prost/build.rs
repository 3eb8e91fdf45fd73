//! Runs prost's generator.

include!("../schemas.rs");

fn main() -> Outcome {
    timed(|schemas, files, out| {
        prost_build::Config::new()
            .protoc_executable(protoc_bin_vendored::protoc_bin_path()?)
            .out_dir(out)
            .compile_protos(files, &[schemas])?;
        Ok(())
    })
}
