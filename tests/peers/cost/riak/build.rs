//! Runs this project's generator: owned types only, borrowed types only, or everything.

include!("../schemas.rs");

fn main() -> Outcome {
    let all = std::env::var_os("CARGO_FEATURE_ALL").is_some();
    let borrowed = std::env::var_os("CARGO_FEATURE_BORROWED").is_some();
    timed(|schemas, files, out| {
        let mut files = files.to_vec();
        let mut config = protoc_gen_riak::Config::new().out_dir(out);
        if all {
            files.push(schemas.join("riak_services.proto"));
        } else {
            config = config.owned(!borrowed).borrowed(borrowed);
            config = config.client(false).server(false).code_tables(false);
        }
        Ok(config.compile(&files, &[schemas]).map(drop)?)
    })
}
