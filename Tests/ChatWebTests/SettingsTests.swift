import Testing

@testable import ChatWeb

@Suite(.timeLimit(.minutes(1)))
struct SettingsTests {
    @Test func loopback_isServed() throws {
        let settings = try #require(try WebSettings(listen: "127.0.0.1:4780", url: nil))
        #expect(settings.host == "127.0.0.1" && settings.port == 4780 && settings.publicURL == nil)
        #expect(try WebSettings(listen: "[::1]:4780", url: "")?.host == "::1")
        #expect(try WebSettings(listen: "off", url: nil) == nil)
    }

    @Test(arguments: ["0.0.0.0:4780", "192.168.1.2:4780", "[::]:4780"])
    func addressesThatOthersReach_needTLS(_ listen: String) throws {
        let refusal = #expect(throws: WebSettings.Refusal.self) { try WebSettings(listen: listen, url: nil) }
        #expect(refusal?.description.contains("self-made") == true && refusal?.description.contains("ssh -L") == true)
        #expect(try WebSettings(listen: listen, url: nil, certificate: "self-made")?.certificate == .selfMade)
    }

    @Test(arguments: [("self-made", "/key.pem"), ("/page.pem", ""), ("", "/key.pem"), ("page.pem", "key.pem")])
    func unfitCertificate_isRefused(_ certificate: String, _ key: String) {
        #expect(throws: WebSettings.Refusal.self) {
            try WebSettings(listen: "127.0.0.1:1", url: nil, certificate: certificate, key: key)
        }
    }

    @Test(arguments: ["", "4780", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "example.invalid:80", "::1:80"])
    func unreadableListen_isRefused(_ listen: String) {
        #expect(throws: WebSettings.Refusal.self) { try WebSettings(listen: listen, url: nil) }
    }

    @Test(arguments: [
        "http://chat.example.invalid", "https://chat.example.invalid/x", "https://u@chat.example.invalid", "chat",
    ])
    func unfitURL_isRefused(_ url: String) {
        #expect(throws: WebSettings.Refusal.self) { try WebSettings(listen: "127.0.0.1:1", url: url) }
    }

    /// Rows are filled up to the header's cells: gigabytes, of some kilobytes of text.
    @Test(arguments: [
        ("|a|b|\n|-|-|\n", "|x\n", 15_000), (String(repeating: "|a", count: 200), "|x\n", 15_000),
        ("> " + String(repeating: "|a", count: 200), "> |x\n", 10_000),
        (String(repeating: "|a", count: 200), "|x\r", 15_000),
    ])
    func table_isOneUpToABound(_ header: String, _ row: String, _ rows: Int) throws {
        let mark = header.hasPrefix("> ") ? "> " : ""
        let ruler = header.hasSuffix("\n") ? "" : "|\n\(mark)" + String(repeating: "|-", count: 200) + "|\n"
        for count in [300, rows] {
            let html = try #require(Markdown.html(header + ruler + String(repeating: row, count: count)))
            #expect(html.contains("<table>") == (count == 300 || ruler.isEmpty))
            #expect(html.utf8.count < 2_000_000)
        }
    }

    @Test func rowOfThousandsOfCells_isNoTable() throws {
        for (header, ruler) in [(30_000, 15_000), (60_000, 1)] {
            let text = String(repeating: "|", count: header) + "\n" + String(repeating: "|-", count: ruler) + "|\n"
            #expect(try !#require(Markdown.html(text)).contains("<table>"))
        }
    }

    @Test func markdown_canDoNothing() throws {
        let html = try #require(
            Markdown.html(
                "<script>alert(1)</script>\n\n[a](javascript:x) ![b](data:text/html,c) **bold**\n\n|a|\n|-|\n|1|"))
        #expect(!html.contains("<script") && !html.contains("javascript:") && !html.contains("data:"))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(html.contains("<strong>bold</strong>") && html.contains("<table>"))
        #expect(Markdown.html(String(repeating: "x", count: Markdown.limitBytes + 1)) == nil)
    }

    @Test(arguments: [
        (
            "if a<b and c>d then List<Foo> else <T> done",
            "<p>if a&lt;b and c&gt;d then List&lt;Foo&gt; else &lt;T&gt; done</p>\n"
        ),
        ("An Array<String>.", "<p>An Array&lt;String&gt;.</p>\n"),
        ("<div>sentence</div>", "<p>&lt;div&gt;sentence&lt;/div&gt;</p>\n"),
        ("- <Button>\n- x", "<ul>\n<li>&lt;Button&gt;</li>\n<li>x</li>\n</ul>\n"),
        (
            "<details>\n  <summary>a & b</summary>\n</details>\n\nafter",
            "<pre><code>&lt;details&gt;\n  &lt;summary&gt;a &amp; b&lt;/summary&gt;\n&lt;/details&gt;\n</code></pre>\n<p>after</p>\n"
        ),
        ("a <!-- remark --> b", "<p>a &lt;!-- remark --&gt; b</p>\n"),
        (
            "**<T>** and [<T>](https://a.invalid)",
            "<p><strong>&lt;T&gt;</strong> and <a href=\"https://a.invalid\">&lt;T&gt;</a></p>\n"
        ),
    ])
    func rawHTML_isShownAsItIsWritten(_ text: String, _ html: String) { #expect(Markdown.html(text) == html) }

    @Test(arguments: [
        "<img src=x onerror=alert(1)>", "a <img src=x onerror=alert(1)> b", "<svg/onload=alert(1)>",
        "<script>alert(1)</script>", "x<script>alert(1)</script>", "<iframe src=\"javascript:alert(1)\"></iframe>",
        "| a |\n|---|\n| <img src=x onerror=alert(1)> |", "> <img src=x onerror=alert(1)>\n> <b>",
        "<!--><img src=x onerror=alert(1)>-->",
        "![<img src=x onerror=alert(1)>](https://a.invalid/b)", "<![CDATA[<img src=x onerror=alert(1)>]]>",
        "<?php <img src=x> ?>",
        "[<img src=x onerror=alert(1)>](https://a.invalid)", "&lt;img src=x onerror=alert(1)&gt;",
    ])
    func rawHTML_isNoElement(_ text: String) throws {
        let html = try #require(Markdown.html(text))
        for name in ["img src=x", "script", "svg", "iframe", "b>", "!", "?"] {
            #expect(!html.contains("<" + name), "\(html)")
        }
        #expect(!html.contains("raw HTML omitted"), "\(html)")
    }
}
