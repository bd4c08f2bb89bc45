import Foundation

/// A part of an answer that still grows, as the page shows it; the whole of it is rendered once more at its end.
enum RenderedText {
    private struct Asked: Decodable { var text: String }

    private struct Line: Encodable {
        var type = "rendered"
        var html: String
    }

    /// `{"op":"render","text":…}` as `{"type":"rendered","html":…}`.
    static func line(of body: [UInt8]) async throws(WebError) -> [UInt8] {
        guard let asked = try? JSONDecoder().decode(Asked.self, from: Data(body)) else {
            throw WebError(
                .badRequest, "bad-request", "render takes text; the body is {\"op\":\"render\",\"text\":\"…\"}")
        }
        guard asked.text.utf8.count <= Markdown.limitBytes else {
            throw WebError(
                .contentTooLarge, "too-large",
                "at most \(Markdown.limitBytes) bytes are rendered; longer texts stay as they are")
        }
        guard let html = await Rendering.shared.html(asked.text) else {
            throw WebError(
                .serviceUnavailable, "busy", "this text cannot be rendered now; show it as it is, or ask again later")
        }
        return JSONLine.of(Line(html: html))
    }
}
