//! What makes a document one of Compose.

use super::yaml::Node;

fn is_service(node: Node<'_>) -> bool {
    ["image", "build", "extends"].iter().any(|key| node.get(key).is_some())
}

/// The services of a document: below `services`, or, in the first form of such files, all that it has.
#[must_use]
pub fn services(root: Node<'_>) -> Option<Node<'_>> {
    let has = |node: &Node<'_>| node.is_map() && node.entries().into_iter().any(|(_, service)| is_service(service));
    match root.get("services") {
        Some(services) => Some(services).filter(has),
        None => {
            Some(root).filter(|root| has(root) && root.entries().into_iter().all(|(_, service)| is_service(service)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::Yaml;

    #[test]
    fn both_forms() {
        let count = |text: &str| Yaml::parse(text).root().and_then(services).map(|found| found.entries().len());
        assert_eq!(count("services:\n  db: {image: postgres}\n  app: {build: .}\n"), Some(2));
        assert_eq!(count("db: {image: postgres}\napp: {build: ., links: [db]}\n"), Some(2));
        assert_eq!(count("services:\n  db: {}\n"), None);
        assert_eq!(count("db: {image: postgres}\nversion: 2\n"), None);
        assert_eq!(count("- image: postgres\n"), None);
    }
}
