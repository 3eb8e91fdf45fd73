//! Finds the fields that make a type contain itself and so need a `Box`.
//!
//! Only singular message fields and oneof members embed one struct in another;
//! vectors and maps break a cycle by themselves. Invariant: with these fields
//! boxed, every struct has a finite size, and only fields on a cycle are boxed.

use riak_codegen::model::{Message, MessageId, Presence, Type};

/// Marks the fields that lie on a cycle as boxed.
pub(crate) fn mark_boxed(messages: &mut [Message]) {
    let contained: Vec<Vec<usize>> = messages.iter().map(|message| edges(message, false)).collect();
    let group = components(&contained);
    for (from, message) in messages.iter_mut().enumerate() {
        for field in &mut message.fields {
            if let Some(MessageId(to)) = embedded_message(field.presence, field.ty) {
                field.boxed = group[from] == group[to];
            }
        }
    }
}

/// Returns the required fields that lie on a cycle of required fields, as message
/// and field index: such a message has no finite value.
pub(crate) fn required_cycles(messages: &[Message]) -> Vec<(MessageId, usize)> {
    let contained: Vec<Vec<usize>> = messages.iter().map(|message| edges(message, true)).collect();
    let group = components(&contained);
    let mut found = Vec::new();
    for (from, message) in messages.iter().enumerate() {
        for (index, field) in message.fields.iter().enumerate() {
            let required = field.presence == Presence::Required;
            if let Some(MessageId(to)) = embedded_message(field.presence, field.ty)
                && required
                && group[from] == group[to]
            {
                found.push((MessageId(from), index));
            }
        }
    }
    found
}

/// Returns the message that a field embeds in its struct.
fn embedded_message(presence: Presence, ty: Type) -> Option<MessageId> {
    let singular = !matches!(presence, Presence::Repeated { .. } | Presence::Map { .. });
    match ty {
        Type::Message(id) | Type::Group(id) if singular => Some(id),
        _ => None,
    }
}

fn edges(message: &Message, only_required: bool) -> Vec<usize> {
    message
        .fields
        .iter()
        .filter(|field| !only_required || field.presence == Presence::Required)
        .filter_map(|field| embedded_message(field.presence, field.ty))
        .map(|id| id.0)
        .collect()
}

/// Returns the number of each node's strongly connected component, by Tarjan's
/// algorithm. The call stack is a vector, so that deeply nested schemas cannot
/// overflow the stack. A field of its own message's type needs no special case:
/// both ends of the edge have the same number.
fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let mut index = vec![UNSEEN; edges.len()];
    let mut low = vec![UNSEEN; edges.len()];
    let mut component = vec![UNSEEN; edges.len()];
    let mut open = Vec::new();
    let mut next = 0;
    for start in 0..edges.len() {
        if index[start] != UNSEEN {
            continue;
        }
        let mut calls = vec![(start, 0)];
        while let Some((node, edge)) = calls.pop() {
            if edge == 0 {
                index[node] = next;
                low[node] = next;
                next += 1;
                open.push(node);
            }
            if let Some(&to) = edges[node].get(edge) {
                calls.push((node, edge + 1));
                if index[to] == UNSEEN {
                    calls.push((to, 0));
                } else if component[to] == UNSEEN {
                    low[node] = low[node].min(index[to]);
                }
                continue;
            }
            if let Some(&(caller, _)) = calls.last() {
                low[caller] = low[caller].min(low[node]);
            }
            if low[node] == index[node] {
                while let Some(member) = open.pop() {
                    component[member] = node;
                    if member == node {
                        break;
                    }
                }
            }
        }
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_cycles() {
        // 0 -> 1 -> 2 -> 1, 2 -> 3, 4 -> 4, 5 -> 0
        let edges = vec![vec![1], vec![2], vec![1, 3], vec![], vec![4], vec![0]];
        let group = components(&edges);
        assert_eq!(group[1], group[2]);
        let mut distinct = vec![group[0], group[1], group[3], group[4], group[5]];
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 5);
    }

    #[test]
    fn two_cycles_that_share_a_node_are_one() {
        let edges = vec![vec![1, 2], vec![0], vec![0, 3], vec![]];
        let group = components(&edges);
        assert!(group[0] == group[1] && group[0] == group[2] && group[0] != group[3]);
    }

    #[test]
    fn long_chain_does_not_overflow_the_stack() {
        let edges: Vec<Vec<usize>> = (0..200_000).map(|n| vec![(n + 1) % 200_000]).collect();
        let group = components(&edges);
        assert!(group.iter().all(|&g| g == group[0]));
    }
}
