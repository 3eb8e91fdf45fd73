//! Checks the options of services and methods. The types of methods are resolved with all others.

use super::Checker;
use crate::source::ast::Service;
use crate::source::types::join;

impl Checker<'_> {
    pub(super) fn service(&mut self, scope: &str, service: &Service) {
        self.options_of("ServiceOptions", scope, &service.options);
        let full = join(scope, &service.name.text);
        for method in &service.methods {
            self.options_of("MethodOptions", &full, &method.options);
        }
    }
}
