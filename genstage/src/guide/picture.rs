/// That a drawing shows what a pipeline is: the names of its nodes, with their replicas, and the window of every edge.
///
/// The drawing is the `number`th block of a page in which something points to the right.
fn is_drawn(graph: &genstage::Graph, page: &str, number: usize) {
    let blocks = page.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    let drawing = blocks.filter(|block| block.contains('▶')).nth(number).expect("a drawing");
    let words = drawing.split(|letter: char| letter.is_whitespace() || "/!─│┌└├┤┬▶".contains(letter));
    let mut drawn: Vec<_> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let mut expected: Vec<_> = graph.nodes().iter().map(|node| node.name.clone()).collect();
    let replicas = graph.nodes().iter().filter(|node| node.replicas > 1);
    expected.extend(replicas.map(|node| format!("×{}", node.replicas)));
    expected.extend(graph.edges().iter().map(|edge| edge.max_demand.to_string()));
    drawn.sort();
    expected.sort();
    assert_eq!(drawn, expected, "{drawing}");
}
