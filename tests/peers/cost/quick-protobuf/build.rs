//! Runs quick-protobuf's generator.

include!("../schemas.rs");

fn main() -> Outcome {
    timed(|_, files, out| {
        // Removes `reserved` in enums, which pb-rs cannot parse.
        let copies = out.with_file_name("schemas");
        std::fs::create_dir_all(&copies)?;
        let mut readable = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(file)?;
            let kept: Vec<&str> =
                text.lines().filter(|line| !line.trim_start().starts_with("reserved ")).collect();
            let copy = copies.join(file.file_name().ok_or("a schema without a file name")?);
            std::fs::write(&copy, kept.join("\n"))?;
            readable.push(copy);
        }
        let out = out.to_path_buf();
        let config = pb_rs::ConfigBuilder::new(&readable, None, Some(&out), &[copies])?;
        pb_rs::types::FileDescriptor::run(&config.build())?;
        Ok(())
    })
}
