<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
  <renderer-v2 type="categorizedSymbol" attr="sentence" symbollevels="0">
    <categories>
      <category value="the buildings that appeared" label="the buildings that appeared" symbol="0" render="true" type="string" />
      <category value="the buildings that disappeared" label="the buildings that disappeared" symbol="1" render="true" type="string" />
      <category value="the largest building that appeared" label="the largest building that appeared" symbol="2" render="true" type="string" />
    </categories>
    <symbols>
      <symbol type="fill" name="0" alpha="1">
        <layer class="SimpleFill" enabled="1" locked="0">
          <Option type="Map">
            <Option type="QString" name="color" value="240,146,84,90" />
            <Option type="QString" name="outline_color" value="240,146,84,255" />
            <Option type="QString" name="outline_style" value="solid" />
            <Option type="QString" name="outline_width" value="0.5" />
            <Option type="QString" name="outline_width_unit" value="MM" />
            <Option type="QString" name="style" value="solid" />
          </Option>
          <prop k="color" v="240,146,84,90" />
          <prop k="outline_color" v="240,146,84,255" />
          <prop k="outline_style" v="solid" />
          <prop k="outline_width" v="0.5" />
          <prop k="outline_width_unit" v="MM" />
          <prop k="style" v="solid" />
        </layer>
      </symbol>
      <symbol type="fill" name="1" alpha="1">
        <layer class="SimpleFill" enabled="1" locked="0">
          <Option type="Map">
            <Option type="QString" name="color" value="79,160,251,90" />
            <Option type="QString" name="outline_color" value="79,160,251,255" />
            <Option type="QString" name="outline_style" value="solid" />
            <Option type="QString" name="outline_width" value="0.5" />
            <Option type="QString" name="outline_width_unit" value="MM" />
            <Option type="QString" name="style" value="solid" />
          </Option>
          <prop k="color" v="79,160,251,90" />
          <prop k="outline_color" v="79,160,251,255" />
          <prop k="outline_style" v="solid" />
          <prop k="outline_width" v="0.5" />
          <prop k="outline_width_unit" v="MM" />
          <prop k="style" v="solid" />
        </layer>
      </symbol>
      <symbol type="fill" name="2" alpha="1">
        <layer class="SimpleFill" enabled="1" locked="0">
          <Option type="Map">
            <Option type="QString" name="color" value="252,248,40,90" />
            <Option type="QString" name="outline_color" value="252,248,40,255" />
            <Option type="QString" name="outline_style" value="solid" />
            <Option type="QString" name="outline_width" value="0.5" />
            <Option type="QString" name="outline_width_unit" value="MM" />
            <Option type="QString" name="style" value="solid" />
          </Option>
          <prop k="color" v="252,248,40,90" />
          <prop k="outline_color" v="252,248,40,255" />
          <prop k="outline_style" v="solid" />
          <prop k="outline_width" v="0.5" />
          <prop k="outline_width_unit" v="MM" />
          <prop k="style" v="solid" />
        </layer>
      </symbol>
    </symbols>
  </renderer-v2>
</qgis>
