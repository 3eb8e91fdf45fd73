//! Appends an empty message to a vector, to be merged in the place where it stays.
//!
//! `Vec::push` would move a message that was merged elsewhere, and `Vec::resize_with` checks the
//! capacity once more and returns no place (measured: a seventh of the instructions that read a
//! run of pairs).
//!
//! Invariant: a vector's length counts only messages that are initialised.

/// Appends an empty message.
///
/// # Panics
///
/// If the vector has no capacity for it. The functions that reserve capacity charge it to the
/// budget of the [`Context`](crate::wire::Context).
#[inline]
pub(in crate::wire) fn append_default<V: Default>(values: &mut Vec<V>) -> &mut V {
    let len = values.len();
    assert!(len < values.capacity(), "capacity for the message was reserved");
    // SAFETY: the assertion shows that the place behind the last message belongs to the vector,
    // and nothing initialised is in it. It is counted only once it is initialised, so that
    // nothing else is dropped if `default` panics.
    unsafe {
        let place = values.as_mut_ptr().add(len);
        place.write(V::default());
        values.set_len(len + 1);
        &mut *place
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;

    use super::*;

    thread_local! {
        /// Whether the next value's creation panics, and what all values share.
        static STATE: (std::cell::Cell<bool>, Rc<()>) = (std::cell::Cell::new(false), Rc::new(()));
    }

    /// Owns memory, and a share of a count.
    #[derive(Debug)]
    struct Value {
        text: String,
        _share: Rc<()>,
    }

    impl Default for Value {
        fn default() -> Self {
            STATE.with(|(panics, shared)| {
                assert!(!panics.get(), "as asked");
                Self { text: "empty".to_owned(), _share: Rc::clone(shared) }
            })
        }
    }

    fn live() -> usize {
        STATE.with(|(_, shared)| Rc::strong_count(shared) - 1)
    }

    /// Appends with `append`, and changes what was appended, as often as there is capacity.
    fn filled(mut values: Vec<Value>, append: fn(&mut Vec<Value>) -> &mut Value) -> Vec<Value> {
        for number in values.len()..values.capacity() {
            let value = append(&mut values);
            assert_eq!(value.text, "empty");
            value.text = number.to_string();
        }
        values
    }

    #[test]
    fn it_does_the_same_as_a_push() {
        fn push(values: &mut Vec<Value>) -> &mut Value {
            values.push(Value::default());
            values.last_mut().unwrap()
        }

        for (held, capacity) in [(0, 0), (0, 1), (1, 2), (3, 70)] {
            let texts = [append_default, push].map(|append| {
                let mut values: Vec<Value> = Vec::with_capacity(capacity);
                values.extend((0..held).map(|_| Value::default()));
                let values = filled(values, append);
                assert_eq!(live(), values.len());
                values.iter().map(|value| value.text.clone()).collect::<Vec<_>>()
            });
            assert_eq!(texts[0], texts[1]);
            assert_eq!(live(), 0);
        }
    }

    #[test]
    fn a_panic_leaves_the_vector_as_it_was() {
        let mut values: Vec<Value> = Vec::with_capacity(2);
        append_default(&mut values).text = "first".to_owned();
        STATE.with(|(panics, _)| panics.set(true));
        let panicked = catch_unwind(AssertUnwindSafe(|| append_default(&mut values).text.clear()));
        STATE.with(|(panics, _)| panics.set(false));
        assert!(panicked.is_err());
        assert_eq!((values.len(), values[0].text.as_str(), live()), (1, "first", 1));
        append_default(&mut values);
        // Now it is full.
        assert!(catch_unwind(AssertUnwindSafe(|| append_default(&mut values).text.clear())).is_err());
        assert_eq!((values.len(), live()), (2, 2));
    }
}
