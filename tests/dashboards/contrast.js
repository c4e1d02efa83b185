// The contrast (WCAG 2.2, 1.4.3 and 1.4.11) of all that is on the screen, from computed styles alone: [what, ratio, needed].
// Whatever lies under a text is mixed in: its ancestors' backgrounds, each stop of a gradient, and opacity.
() => {
  const ink = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const colour = (text) => {
    if (!known.has(text)) {
      ink.clearRect(0, 0, 1, 1);
      ink.fillStyle = text;
      ink.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = ink.getImageData(0, 0, 1, 1).data;
      known.set(text, [r, g, b, a / 255]);
    }
    return known.get(text);
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((part, at) => part * a + under[at] * (1 - a));
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const parentOf = (node) => node.assignedSlot ?? node.parentElement ?? (node.getRootNode().host || null);
  const STOP = /(?:rgba?|hsla?|color|oklab|oklch)\([^()]*\)/g;
  // All colours that may lie behind what stands on `node`; a dialog lies on nothing else.
  const grounds = (node) => {
    if (!node) return [colour("Canvas")];
    const style = getComputedStyle(node);
    const own = colour(style.backgroundColor);
    const below = own[3] === 1 ? [own.slice(0, 3)] : grounds(parentOf(node)).map((under) => over(own, under));
    const stops = (style.backgroundImage.match(STOP) ?? []).map(colour);
    return stops.length ? stops.flatMap((stop) => below.map((under) => over(stop, under))) : below;
  };
  const opacity = (node) => (node ? Number(getComputedStyle(node).opacity) * opacity(parentOf(node)) : 1);
  const worst = (text, node, behind) => {
    const [r, g, b, a] = colour(text);
    const through = a * opacity(node);
    return Math.min(...grounds(behind).map((ground) => ratio(over([r, g, b, through], ground), ground)));
  };
  const name = (node) => `${node.tagName.toLowerCase()}.${[...node.classList].join(".")}`;
  const isSeen = (node) => {
    const { width, height } = node.getBoundingClientRect();
    // One pixel is for those who listen.
    return width > 1 && height > 1 && node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  const found = [];
  const look = (root) => {
    const open = root.querySelector("dialog:modal");
    for (const node of root.querySelectorAll("*")) {
      if (node.shadowRoot) look(node.shadowRoot);
      if ((open && !open.contains(node) && !node.shadowRoot) || !isSeen(node)) continue;
      const style = getComputedStyle(node);
      const words = [...node.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE).map((each) => each.data.trim()).join(" ").trim();
      const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
      if (words) found.push([`${name(node)} "${words.slice(0, 40)}"`, worst(style.color, node, node), large ? 3 : 4.5]);
      if (node.matches("input[placeholder]")) {
        found.push([`${name(node)} placeholder`, worst(getComputedStyle(node, "::placeholder").color, node, node), 4.5]);
      }
      const isEdged = node.matches("button, input, select, summary, a[href]") && parseFloat(style.borderTopWidth) > 0;
      const edge = isEdged && colour(style.borderTopColor);
      // A control that fills its own shape needs no line around it.
      if (edge && edge[3] > 0) {
        const filled = worst(style.backgroundColor, node, parentOf(node));
        found.push([`${name(node)}'s edge`, Math.max(worst(style.borderTopColor, node, parentOf(node)), filled), 3]);
      }
    }
  };
  look(document);
  return found;
}
