// The value flows of a match as two graphs, laid out when they are asked for. The steps as text stay below them.
"use strict";
{
  const SVG = "http://www.w3.org/2000/svg";
  const LETTER = 6.7; // pixels that a letter of the labels takes, a little more than it needs
  const LONGEST = 26; // letters of a label; the whole of it is in the node's title
  const MARGIN = 12;
  // Above so many values the best placing takes seconds; a simpler one half of that.
  const MANY = 120;

  const element = (name, attributes, ...children) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const short = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

  const place = (flow) => {
    const graph = new dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ rankdir: "TB", ranker: flow.nodes.length > MANY ? "tight-tree" : "network-simplex", nodesep: 14, ranksep: 26, marginx: MARGIN, marginy: MARGIN });
    graph.setDefaultEdgeLabel(() => ({}));
    flow.nodes.forEach(([operation, name], number) => {
      const letters = Math.max(short(operation).length, short(name).length, 3);
      graph.setNode(String(number), { width: letters * LETTER + 16, height: name ? 36 : 22 });
    });
    flow.edges.forEach(([operand, user], number) => graph.setEdge(String(operand), String(user), {}, String(number)));
    dagre.layout(graph);
    return graph;
  };

  const describe = (node, number, partner) => {
    const [operation, name, line] = node;
    const parts = [`${number}: ${operation}`, name, line ? `line ${line}` : "", partner === undefined ? "only here" : `same as ${partner}`];
    return parts.filter(Boolean).join(", ");
  };

  const drawNode = (node, number, partner, at) => {
    const [operation, name] = node;
    const description = describe(node, number, partner);
    const label = element("text", { x: at.x, y: at.y + (name ? -3 : 4), class: "operation" }, short(operation));
    const group = element(
      "g",
      { class: partner === undefined ? "node" : "node same", tabindex: number ? -1 : 0, role: "img", "aria-label": description, "data-number": number },
      element("title", {}, description),
      element("rect", { x: at.x - at.width / 2, y: at.y - at.height / 2, width: at.width, height: at.height, rx: 4 }),
      label,
    );
    if (name) group.append(element("text", { x: at.x, y: at.y + 11, class: "variable" }, short(name)));
    return group;
  };

  const drawEdge = (edge) => {
    const [first, ...others] = edge.points;
    const path = others.map((point) => `L${point.x} ${point.y}`).join("");
    return element("path", { class: "edge", d: `M${first.x} ${first.y}${path}`, "marker-end": "url(#arrow)" });
  };

  const drawFlow = (flow, partners, title) => {
    const graph = place(flow);
    const { width, height } = graph.graph();
    const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `Value flow of the ${title}; arrow keys lead from value to value` });
    for (const edge of graph.edges()) svg.append(drawEdge(graph.edge(edge)));
    flow.nodes.forEach((node, number) => svg.append(drawNode(node, number, partners.get(number), graph.node(String(number)))));
    return svg;
  };

  // The text of a line of the file, as the published view has it.
  const lineOf = (match, side, line) => {
    const column = match.querySelectorAll(".published .side")[side];
    if (!line || !column) return "";
    const gutter = column.querySelector(".gutter").textContent.split("\n");
    const row = gutter.findIndex((text) => Number(text.replace(/[^0-9]/g, "")) === line && text);
    return row < 0 ? `line ${line}` : `${line}  ${column.querySelector(".code").textContent.split("\n")[row].trim()}`;
  };

  const draw = (match) => {
    const view = match.querySelector(".flow");
    if (!view || view.querySelector(".drawing") || typeof dagre !== "object") return;
    const data = JSON.parse(view.querySelector('script[type="application/json"]').textContent);
    const flows = [data.suspect, data.reference];
    const partners = [new Map(data.same), new Map(data.same.map(([ours, theirs]) => [theirs, ours]))];
    const drawing = document.createElement("div");
    drawing.className = "drawing";
    drawing.innerHTML = '<p class="key"><span class="shared">both have it</span><span>only here</span></p><div class="sides"><div><div class="canvas"></div><p class="lines"></p></div><div><div class="canvas"></div><p class="lines"></p></div></div>';
    const canvases = drawing.querySelectorAll(".canvas"), lines = drawing.querySelectorAll(".lines");
    flows.forEach((flow, side) => {
      if (flow.nodes.length) canvases[side].append(drawFlow(flow, partners[side], side ? "reference" : "suspect"));
    });
    const nodes = Array.from(canvases, (canvas) => Array.from(canvas.querySelectorAll(".node")));

    const show = (side, number) => {
      for (const node of nodes.flat()) node.classList.remove("on");
      const partner = partners[side].get(number);
      const both = side ? [partner, number] : [number, partner];
      both.forEach((each, which) => {
        lines[which].textContent = each === undefined ? "" : lineOf(match, which, flows[which].nodes[each][2]);
        if (each === undefined) return;
        nodes[which][each].classList.add("on");
        if (which !== side) nodes[which][each].scrollIntoView({ block: "nearest", inline: "nearest" });
      });
    };

    canvases.forEach((canvas, side) => {
      const numberOf = (event) => { const node = event.target.closest(".node"); return node ? Number(node.dataset.number) : -1; };
      for (const kind of ["mouseover", "focusin"]) {
        canvas.addEventListener(kind, (event) => { if (numberOf(event) >= 0) show(side, numberOf(event)); });
      }
      canvas.addEventListener("keydown", (event) => {
        const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
        const next = step && nodes[side][numberOf(event) + step];
        if (!next) return;
        event.preventDefault();
        event.target.closest(".node").setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
      });
    });
    view.querySelector(".steps").open = false;
    view.querySelector(".steps").before(drawing);
  };

  const isAskedFor = (match) => { const radio = match.querySelector('[value="flow"]'); return match.open && radio && radio.checked; };
  document.addEventListener("change", (event) => {
    const match = event.target.closest(".views") && event.target.closest(".match");
    if (match && isAskedFor(match)) draw(match);
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.matches(".match") && isAskedFor(event.target)) draw(event.target);
  }, true);

  // One arrow head for all drawings, in a drawing of its own that takes no room.
  const head = element("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto" }, element("path", { d: "M0 0L8 4L0 8z", fill: "currentColor" }));
  if (typeof dagre === "object" && document.querySelector(".flow")) {
    document.body.append(element("svg", { width: 0, height: 0, "aria-hidden": "true" }, element("defs", {}, head)));
  }
}
