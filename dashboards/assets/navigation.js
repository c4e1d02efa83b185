// The places of the page, as links: opened in another tab they lead to the same, and a plain click changes this page.

class Navigation {
  constructor(onGo) {
    this.links = Object.entries(PLACES).map(([place, name]) => {
      const link = el("a", "", name);
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        onGo(place);
      });
      return { place, link };
    });
    this.node = el("nav", "navigation", ...this.links.map(({ link }) => link));
    this.node.setAttribute("aria-label", "Places");
  }

  show(view, theme) {
    for (const { place, link } of this.links) {
      link.href = queryOf({ ...view, place }, theme) || "?";
      if (place === view.place) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
}
