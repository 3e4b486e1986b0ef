// What somebody cannot use who does not see the page, or sees it badly: a list of complaints, empty where all is well.
() => {
  const wrong = [];
  const shown = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !node.closest(".unseen, thead");
  const said = (node) => `<${node.tagName.toLowerCase()} class="${node.getAttribute("class") ?? ""}"> ${(node.textContent ?? "").trim().slice(0, 40)}`;
  const named = (node) => (node.getAttribute("aria-label") || node.labels?.[0]?.textContent || node.textContent || node.alt
    || document.getElementById(node.getAttribute("aria-labelledby"))?.textContent || "").trim();

  for (const node of document.querySelectorAll("a, button, input, select, textarea, summary, [tabindex='0'], dialog, section[aria-labelledby], section[aria-label]")) {
    if (shown(node) && !named(node)) wrong.push(`no name: ${said(node)}`);
  }
  for (const node of document.querySelectorAll("img:not([alt]), svg[role=img]:not([aria-label])")) wrong.push(`no text: ${said(node)}`);
  for (const [what, count] of [["main", 1], ["h1", 1], ["nav", 1], ["header", 1]]) {
    const found = [...document.querySelectorAll(what)].filter(shown).length;
    if (found !== count) wrong.push(`${found} × ${what}`);
  }
  let level = 0;
  for (const node of document.querySelectorAll("main :is(h1, h2, h3, h4)")) {
    if (!shown(node)) continue;
    const its = Number(node.tagName[1]);
    if (its > level + 1) wrong.push(`h${its} behind h${level}: ${said(node)}`);
    level = its;
  }
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids)) if (ids.filter((each) => each === id).length > 1) wrong.push(`twice: #${id}`);
  for (const node of document.querySelectorAll("button, input, select, nav a")) {
    const { width, height } = node.getBoundingClientRect();
    if (shown(node) && (width < 24 || height < 24)) wrong.push(`small: ${said(node)} ${width}×${height}`); // WCAG 2.2, 2.5.8
  }

  // contrast: WCAG 2.2, 1.4.3
  const colour = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((each) => each / 255).map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const [r, g, b, a = 1] = colour(getComputedStyle(at).backgroundColor);
      if (a === 1 && r !== undefined) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !shown(node) || node.closest("option")) continue;
    const style = getComputedStyle(node);
    const ink = node instanceof SVGElement ? style.fill : style.color;
    const [one, two] = [light(colour(ink).slice(0, 3)), light(behind(node))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)}: ${said(node)}`);
  }
  return wrong;
}
