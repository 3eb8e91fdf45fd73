//! Runs buffa's generator: owned types only, or with views.

include!("../schemas.rs");

fn main() -> Outcome {
    let all = std::env::var_os("CARGO_FEATURE_ALL").is_some();
    timed(|schemas, files, out| {
        // SAFETY: this process has one thread, so nothing else accesses the environment.
        unsafe { std::env::set_var("PROTOC", protoc_bin_vendored::protoc_bin_path()?) };
        buffa_build::Config::new()
            .files(files)
            .includes(&[schemas])
            .out_dir(out)
            .generate_views(all)
            .include_file("mod.rs")
            .compile()
    })
}
