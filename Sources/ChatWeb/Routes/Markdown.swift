import CMarkdown
import Synchronization

/// Markdown of the agent as HTML that can do nothing: cmark-gfm in its safe mode leaves out raw HTML and links that are
/// no addresses of the web.
enum Markdown {
    /// Longer texts stay as they are: the parser's worst cases grow with the square of their length.
    static let limitBytes = 65_536

    private static let extensions = ["table", "strikethrough", "autolink", "tasklist"]
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
        for name in extensions {
            if let one = cmark_find_syntax_extension(name) { cmark_parser_attach_syntax_extension(parser, one) }
        }
        cmark_parser_feed(parser, text, text.utf8.count)
        guard let document = cmark_parser_finish(parser) else { return nil }
        defer { cmark_node_free(document) }
        guard let html = cmark_render_html(document, options, cmark_parser_get_syntax_extensions(parser)) else {
            return nil
        }
        defer { cmark_get_default_mem_allocator().pointee.free(html) }
        return String(cString: html)
    }
}
