//! The `protoc` plugin: reads a request from standard input, and writes a
//! response to standard output.
//!
//! Invariant: faults of the schema and the parameters go into the response, which
//! `protoc` shows; the program fails only for I/O errors and malformed requests.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use protobuf::descriptor::FileDescriptorSet;
use protobuf::plugin::{CodeGeneratorRequest, CodeGeneratorResponse, code_generator_response};
use protobuf::{Message as _, UnknownValue};

use crate::generate::{self, Generated};
use crate::output::Formatted;
use crate::settings::Settings;
use crate::{Diagnostic, Error};

/// `FEATURE_PROTO3_OPTIONAL` and `FEATURE_SUPPORTS_EDITIONS` of plugin.proto.
const FEATURES: u64 = 1 | 2;
/// `EDITION_PROTO2` and `EDITION_2024` of descriptor.proto: the supported range.
const EDITIONS: [u64; 2] = [998, 1001];
/// `minimum_edition` and `maximum_edition` of the response, which `protobuf`'s descriptors
/// do not have.
const EDITION_FIELDS: [u32; 2] = [3, 4];

/// Reads a request of `protoc` from `input`, writes the response to `output`, and passes
/// notices to `notice`. Faults of the schema are reported in the response.
///
/// # Errors
///
/// If the request cannot be read or is malformed, or the response cannot be written.
pub fn run(
    mut input: impl Read,
    mut output: impl Write,
    notice: impl FnMut(&Diagnostic),
) -> Result<(), Error> {
    let request = |message: String| Error::Request { message };
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|error| request(error.to_string()))?;
    let answer = respond(&bytes, notice)?;
    output
        .write_all(&answer)
        .and_then(|()| output.flush())
        .map_err(|error| Error::Write { path: "standard output".into(), error })
}

/// Returns the response to a request of `protoc`: an encoded `CodeGeneratorResponse` for an
/// encoded `CodeGeneratorRequest`. Faults of the schema are reported in the response.
///
/// # Errors
///
/// If the bytes are not a request.
pub fn respond(request: &[u8], mut notice: impl FnMut(&Diagnostic)) -> Result<Vec<u8>, Error> {
    let fail = |error: protobuf::Error| Error::Request { message: error.to_string() };
    if request.is_empty() {
        // An empty request is valid protobuf, but protoc never sends one.
        return Err(Error::Request { message: "it is empty".to_owned() });
    }
    let request = CodeGeneratorRequest::parse_from_bytes(request).map_err(fail)?;
    let mut response = CodeGeneratorResponse::new();
    response.set_supported_features(FEATURES);
    for (field, edition) in EDITION_FIELDS.into_iter().zip(EDITIONS) {
        response.special_fields.mut_unknown_fields().add_value(field, UnknownValue::Varint(edition));
    }
    match generate(request) {
        Ok(generated) => {
            generated.notices.iter().for_each(&mut notice);
            response.file = generated
                .files
                .into_iter()
                .map(|file| {
                    let mut answer = code_generator_response::File::new();
                    answer.set_name(file.name);
                    answer.set_content(file.text);
                    answer
                })
                .collect();
        }
        Err(error) => response.set_error(error.to_string()),
    }
    response.write_to_bytes().map_err(fail)
}

fn generate(request: CodeGeneratorRequest) -> Result<Generated, Error> {
    let settings = parameters(request.parameter())?;
    let mut set = FileDescriptorSet::new();
    set.file = request.proto_file;
    generate::generate(&set, &request.file_to_generate, &settings, &BTreeMap::new(), &Formatted::uncached())
}

/// Reads `KEY=VALUE,KEY=VALUE`. A value may contain an equals sign.
fn parameters(text: &str) -> Result<Settings, Error> {
    let mut settings = Settings::default();
    for parameter in text.split(',').map(str::trim).filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name == "overlay" {
            return Err(Error::Parameter {
                name: name.to_owned(),
                message: "not a parameter: give the overlay to protoc as one of its files; there it has to fit the schema"
                    .to_owned(),
            });
        }
        settings.set(name, value)?;
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_settings() {
        let settings = parameters("borrowed=false, extern_path=riak.proto=::riak_client,").unwrap();
        assert!(!settings.emit.borrowed);
        assert_eq!(settings.resolve.extern_paths, [("riak.proto".to_owned(), "::riak_client".to_owned())]);
        assert!(parameters("borrowed").is_err());
        assert!(parameters("overlay=x.proto").unwrap_err().to_string().contains("to protoc"));
    }

    #[test]
    fn wrong_parameter_is_a_response_and_malformed_request_an_error() {
        let mut request = CodeGeneratorRequest::new();
        request.set_parameter("no_such=1".to_owned());
        let bytes = request.write_to_bytes().unwrap();
        let answer = respond(&bytes, |_| ()).unwrap();
        let answer = CodeGeneratorResponse::parse_from_bytes(&answer).unwrap();
        assert!(answer.error().starts_with("no_such: there is no such setting"));
        assert_eq!(answer.supported_features(), 3);
        assert!(matches!(respond(&[0xff; 8], |_| ()), Err(Error::Request { .. })));
        assert!(matches!(respond(&[], |_| ()), Err(Error::Request { .. })));
    }
}
