// Colours for the code of opened matches: ranges over the text that is there, so that the page itself stays as it is.
"use strict";
{
  const GROUPS = {
    keyword: "keyword", literal: "keyword", string: "string", comment: "comment", number: "number",
    title: "title", built_in: "title", meta: "title",
  };
  const WORD = /[\p{L}\p{N}_]+/gu;
  const canPaint = typeof Highlight === "function" && CSS.highlights;
  const painted = new WeakMap(); // pre -> its ranges

  const paints = {};
  if (canPaint) {
    for (const name of [...new Set(Object.values(GROUPS)), "renamed"]) {
      paints[name] = new Highlight();
      CSS.highlights.set(`code-${name}`, paints[name]);
    }
    paints.renamed.priority = 1;
  }

  // From places in the text of an element to ranges over its text nodes.
  const placer = (element) => {
    const nodes = [];
    let end = 0;
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      nodes.push({ node: walker.currentNode, start: end });
      end += walker.currentNode.length;
    }
    const locate = (place) => {
      let low = 0, high = nodes.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (nodes[middle].start <= place) low = middle; else high = middle - 1;
      }
      return [nodes[low].node, place - nodes[low].start];
    };
    return (start, stop) => {
      const range = new StaticRange({
        startContainer: locate(start)[0], startOffset: locate(start)[1],
        endContainer: locate(stop - 1)[0], endOffset: locate(stop - 1)[1] + 1,
      });
      return range;
    };
  };

  // What the highlighter says, read from a document of its own in which nothing runs and nothing is fetched.
  const syntax = function* (text) {
    const html = hljs.highlight(text, { language: "python", ignoreIllegals: true }).value;
    const parsed = new DOMParser().parseFromString(`<span>${html}</span>`, "text/html");
    const walker = parsed.createTreeWalker(parsed.body, NodeFilter.SHOW_TEXT);
    let start = 0;
    while (walker.nextNode()) {
      const stop = start + walker.currentNode.length;
      const name = /hljs-([a-z_]+)/.exec(walker.currentNode.parentNode.className);
      if (name && GROUPS[name[1]]) yield [GROUPS[name[1]], start, stop];
      start = stop;
    }
  };

  const renamed = (match, isSuspect) => {
    const list = match.querySelector(".renames");
    const pairs = list ? list.textContent.split("\n").map((line) => line.split(" → ")) : [];
    return new Set(pairs.filter((pair) => pair.length === 2).map((pair) => pair[isSuspect ? 1 : 0]));
  };

  const paint = (pre, names) => {
    if (painted.has(pre)) return;
    const text = pre.textContent, place = placer(pre), ranges = [];
    const add = (name, start, stop) => {
      const range = place(start, stop);
      paints[name].add(range);
      ranges.push([name, range]);
    };
    if (!text.length) return;
    if (typeof hljs === "object") for (const [name, start, stop] of syntax(text)) add(name, start, stop);
    for (const word of text.matchAll(WORD)) if (names.has(word[0])) add("renamed", word.index, word.index + word[0].length);
    painted.set(pre, ranges);
  };

  const clear = (pre) => {
    for (const [name, range] of painted.get(pre) || []) paints[name].delete(range);
    painted.delete(pre);
  };

  const NONE = new Set();
  const update = (match) => {
    for (const view of match.querySelectorAll(".unrenamed, .published")) {
      view.querySelectorAll("pre.code").forEach((pre, number) => {
        const isShown = match.open && getComputedStyle(view).display !== "none";
        if (!isShown) clear(pre);
        else paint(pre, view.classList.contains("published") ? renamed(match, number === 0) : NONE);
      });
    }
  };

  if (canPaint) {
    // `toggle` does not bubble: it is caught on its way down.
    document.addEventListener("toggle", (event) => { if (event.target.matches(".match")) update(event.target); }, true);
    document.addEventListener("change", (event) => {
      const match = event.target.closest(".views") && event.target.closest(".match");
      if (match) update(match);
    });
    for (const match of document.querySelectorAll(".match[open]")) update(match);
  }
}
