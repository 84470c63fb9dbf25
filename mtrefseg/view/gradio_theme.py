# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The design of the demo and of the audit: the colours and fonts of `mtrefseg.looks` as a theme of gradio."""

import gradio as gr

from mtrefseg.looks import DARK, FONTS, LIGHT

from .pair_view import SCRIPT


START_VIEWS = (
    SCRIPT.read_text(encoding="utf-8") + "\nstartPairViews(element); watch('value', () => startPairViews(element));"
)
"""The script of a `gradio.HTML` that shows pairs."""
RADIUS = "8px"
"""As round as the buttons around the images."""
STYLE = """
.gradio-container [role=tab]:focus-visible { outline: 2px solid var(--accent); outline-offset: -3px; }
.gradio-container :is(.icon-button, .reset-button, .label-wrap, .download-link) { min-width: 24px; min-height: 24px; }
.gradio-container .label-wrap { align-items: center; }
.gradio-container .wrap:has(> .wrap-inner) { border-color: var(--edge); }
.gradio-container .selection-button { display: none; }
"""
"""What a theme of gradio cannot say: the focus of tabs, the border of lists, and targets of 24 pixels (WCAG 2.5.8)."""


class Theme(gr.themes.Base):
    """White cards on light grey, thin lines, one accent."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue="blue",
            neutral_hue="slate",
            radius_size=gr.themes.sizes.radius_md,
            spacing_size=gr.themes.sizes.spacing_md,
            text_size=gr.themes.sizes.text_md,
            font=[font.strip('"') for font in FONTS],
            font_mono=["ui-monospace", "monospace"],
        )
        colors = {
            "body_background_fill": "paper",
            "body_text_color": "ink",
            "body_text_color_subdued": "soft",
            "background_fill_primary": "card",
            "background_fill_secondary": "tint",
            "border_color_primary": "line",
            "border_color_accent": "accent",
            "color_accent_soft": "tint",
            "link_text_color": "accent",
            "link_text_color_hover": "accent",
            "link_text_color_visited": "accent",
            "link_text_color_active": "accent",
            "block_background_fill": "card",
            "block_border_color": "line",
            "block_label_background_fill": "card",
            "block_label_border_color": "line",
            "block_label_text_color": "soft",
            "block_title_text_color": "ink",
            "block_info_text_color": "soft",
            "input_background_fill": "card",
            "input_border_color": "edge",
            "input_border_color_focus": "accent",
            "input_placeholder_color": "soft",
            "slider_color": "accent",
            "checkbox_background_color": "card",
            "checkbox_background_color_hover": "tint",
            "checkbox_background_color_selected": "accent",
            "checkbox_border_color": "soft",
            "checkbox_border_color_selected": "accent",
            "checkbox_label_background_fill": "card",
            "checkbox_label_background_fill_selected": "tint",
            "checkbox_label_border_color": "line",
            "button_primary_background_fill": "accent",
            "button_primary_background_fill_hover": "accent",
            "button_primary_text_color": "on-accent",
            "button_primary_text_color_hover": "on-accent",
            "button_primary_border_color": "accent",
            "button_secondary_background_fill": "card",
            "button_secondary_background_fill_hover": "tint",
            "button_secondary_border_color": "line",
            "button_secondary_text_color": "ink",
            "loader_color": "accent",
            "table_border_color": "line",
            "table_even_background_fill": "card",
            "table_odd_background_fill": "card",
            "table_row_focus": "tint",
            "code_background_fill": "tint",
        }
        values = {name: LIGHT[meaning] for name, meaning in colors.items()}
        values |= {f"{name}_dark": DARK[meaning] for name, meaning in colors.items()}
        self.set(
            **values,
            color_accent="var(--accent)",
            block_border_width="1px",
            block_shadow="none",
            block_title_text_weight="600",
            block_label_text_size="*text_sm",
            button_primary_shadow="none",
            input_shadow="none",
            input_border_width="1px",
            input_padding="8px 10px",
            input_radius=RADIUS,
            block_radius=RADIUS,
            table_radius=RADIUS,
            button_large_radius=RADIUS,
            button_medium_radius=RADIUS,
            button_small_radius=RADIUS,
            layout_gap="14px",
        )
