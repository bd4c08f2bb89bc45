import CMarkdown
import Synchronization

/// Markdown of the agent as HTML that can do nothing: cmark-gfm in its safe mode leaves out links that are no addresses of
/// the web, and raw HTML, which is shown as the words that it is: an agent that writes `List<Foo>` means them.
enum Markdown {
    /// Longer texts stay as they are: the parser's worst cases grow with the square of their length.
    static let limitBytes = 65_536

    private static let extensions = ["strikethrough", "autolink", "tasklist"]
    // The registry of extensions is a global of the library, filled once.
    private static let registered = Mutex(false)

    /// Nil: too long, or out of memory.
    static func html(_ text: String) -> String? {
        guard text.utf8.count <= limitBytes else { return nil }
        registered.withLock { done in
            if !done { cmark_gfm_core_extensions_ensure_registered() }
            done = true
        }
        // CMARK_OPT_SAFE is the default since 0.29 and stands for nothing; CMARK_OPT_UNSAFE is what is not given.
        let options = CMARK_OPT_DEFAULT | CMARK_OPT_VALIDATE_UTF8
        guard let parser = cmark_parser_new(options) else { return nil }
        defer { cmark_parser_free(parser) }
        for name in (TableSize.isBounded(text) ? ["table"] : []) + extensions {
            if let one = cmark_find_syntax_extension(name) { cmark_parser_attach_syntax_extension(parser, one) }
        }
        cmark_parser_feed(parser, text, text.utf8.count)
        guard let document = cmark_parser_finish(parser) else { return nil }
        defer { cmark_node_free(document) }
        showRawHTML(of: document)
        guard let html = cmark_render_html(document, options, cmark_parser_get_syntax_extensions(parser)) else {
            return nil
        }
        defer { cmark_get_default_mem_allocator().pointee.free(html) }
        return String(cString: html)
    }

    /// Puts text in place of each piece of raw HTML: in a sentence as it stands there, a line of its own as a paragraph,
    /// several lines as a block of code, which keeps them apart. The renderer escapes both.
    private static func showRawHTML(of document: OpaquePointer) {
        guard let steps = cmark_iter_new(document) else { return }
        var raw: [OpaquePointer] = []
        // Gathered first: whoever walks a tree must not change it.
        while cmark_iter_next(steps) != CMARK_EVENT_DONE {
            guard let node = cmark_iter_get_node(steps) else { continue }
            // Leaves are come to once.
            if [CMARK_NODE_HTML_INLINE, CMARK_NODE_HTML_BLOCK].contains(cmark_node_get_type(node)) { raw.append(node) }
        }
        cmark_iter_free(steps)
        for node in raw {
            guard let literal = cmark_node_get_literal(node), let words = words(of: node, literal) else { continue }
            // What does not fit there stays what it was, and is left out.
            cmark_node_free(cmark_node_replace(node, words) == 1 ? node : words)
        }
    }

    private static func words(
        of node: OpaquePointer, _ literal: UnsafePointer<CChar>
    ) -> OpaquePointer? {
        var lines = String(cString: literal)
        let isInline = cmark_node_get_type(node) == CMARK_NODE_HTML_INLINE
        if !isInline, lines.hasSuffix("\n") { lines.removeLast() }
        let isCode = !isInline && lines.contains("\n")
        guard let made = cmark_node_new(isCode ? CMARK_NODE_CODE_BLOCK : CMARK_NODE_TEXT) else { return nil }
        cmark_node_set_literal(made, isCode ? lines + "\n" : lines)
        guard !isInline, !isCode, let paragraph = cmark_node_new(CMARK_NODE_PARAGRAPH) else { return made }
        cmark_node_append_child(paragraph, made)
        return paragraph
    }
}
