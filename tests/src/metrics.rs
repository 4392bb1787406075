//! What processes count, as Prometheus reads it.

/// The sum of a metric over all labels, in the text of one process or of several.
#[must_use]
pub fn sum_of(text: &str, metric: &str) -> f64 {
    // Neither a comment nor a metric whose name only begins like this one.
    let value = |line: &str| match line.strip_prefix(metric)?.chars().next() {
        Some('{' | ' ') => line.rsplit_once(' ')?.1.parse::<f64>().ok(),
        _ => None,
    };
    text.lines().filter_map(value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_labels_count_and_neither_comments_nor_other_metrics() {
        let text = "# HELP a_total Things.\na_total{of=\"one\"} 1\na_total{of=\"two\"} 2.5\na_total_more 4\nb 8\n";
        assert_eq!((sum_of(text, "a_total"), sum_of(text, "b"), sum_of(text, "c")), (3.5, 8.0, 0.0));
    }
}
