-- SPDX-License-Identifier: Apache-2.0
-- Links between Markdown files become links between the pages made from them.
function Link(link)
  local target, anchor = link.target:match("^([^#]*)(#?.*)$")
  if target == "" or target:match("^%a+:") then
    return nil
  end
  target = target:gsub("README%.md$", "index.md"):gsub("%.md$", ".html"):gsub("LICENSE$", "LICENSE.txt")
  link.target = target .. anchor
  return link
end

-- Wide tables scroll by themselves, so that a page fits a phone.
function Table(t)
  return pandoc.Div({ t }, pandoc.Attr("", { "table", #t.colspecs > 2 and "wide" or nil }))
end
